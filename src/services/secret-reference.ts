import { z } from "zod";
import { isSealtreeError } from "../errors.ts";
import { parseAddress, type Address } from "../secret/address.ts";

/** Where an option's value comes from: another secret, or the environment of the run. */
export type SecretReference =
  | { readonly kind: "secret"; readonly address: Address }
  | { readonly kind: "environment"; readonly name: string };

/** An option that holds `${secret:scope/NAME}` or `${env:NAME}`, and never the value itself. */
export const secretReference = z.string().transform((text, context): SecretReference => {
  const found = findReference(text);
  if (found !== undefined) return found;
  context.addIssue({ code: "custom", message: "write ${secret:scope/NAME} or ${env:NAME}, never the value itself" });
  return z.NEVER;
});

/** The reference that `text` is as a whole; undefined when it is none. */
export function findReference(text: string): SecretReference | undefined {
  const [, kind, rest = ""] = /^\$\{(secret|env):([^{}]+)\}$/.exec(text) ?? [];
  if (kind === "env") return /^[A-Za-z_][A-Za-z0-9_]*$/.test(rest) ? { kind: "environment", name: rest } : undefined;
  if (kind !== "secret") return undefined;
  try {
    return { kind: "secret", address: parseAddress(rest) };
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}
