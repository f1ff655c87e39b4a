import type { Address } from "../secret/address.ts";
import { readScope } from "../store/keyring.ts";
import { scopeNotFound, secretNotFound } from "../values/not-found.ts";
import type { Context } from "./context.ts";

/**
 * Makes sure that a secret is there before it is changed or removed; needs no key. A delete
 * of what is not there is audited. Throws E_SCOPE_NOT_FOUND, E_SECRET_NOT_FOUND.
 */
export async function requireSecret(context: Context, address: Address): Promise<void> {
  const tree = await context.tree();
  const entries = await readScope(tree, address.scope);
  if (entries?.has(address.name) === true) return;
  if (context.subject.operation === "unset") {
    context.audit([{ kind: "deleteOfMissing", operation: "unset", ...address, outcome: "refused" }]);
  }
  throw entries === undefined
    ? await scopeNotFound(tree, address.scope)
    : secretNotFound(tree, address, entries.keys());
}
