import type { SealtreeError } from "../errors.ts";
import { isScopePath, parseAddress, type Address, type ScopePath } from "../secret/address.ts";
import { scopeFilePath } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import { scopeNotFound } from "../values/not-found.ts";

/** What `ADDRESS|SCOPE` on a command line names. */
export type Target =
  | { readonly kind: "scope"; readonly scope: ScopePath }
  | { readonly kind: "secret"; readonly address: Address };

/**
 * Decides whether `text` is a scope or an address: a scope that has a file in `tree` wins,
 * anything else is an address. Throws what parseAddress throws, and E_SCOPE_NOT_FOUND for one
 * segment that is no scope. Nothing is read but the one file.
 */
export async function parseTarget(tree: Tree, text: string): Promise<Target> {
  if (isScopePath(text)) {
    if ((await tree.read(scopeFilePath(text))) !== undefined) return { kind: "scope", scope: text };
    if (!text.includes("/"))
      throw await scopeNotFound(tree, text, "an address is a scope, a / and a name, such as prod/api/STRIPE_KEY");
  }
  return { kind: "secret", address: parseAddress(text) };
}

/** The error for an address whose scope `tree` lacks; `text` is what was typed, which may have meant a scope. */
export async function noSuchScope(tree: Tree, text: string, { scope }: Address): Promise<SealtreeError> {
  return await scopeNotFound(tree, isScopePath(text) ? text : scope);
}
