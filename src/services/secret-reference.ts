import { z } from "zod";
import type { Address } from "../secret/address.ts";
import { findWholeReference } from "../secret/reference.ts";

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
  const name = /^\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(text)?.[1];
  if (name !== undefined) return { kind: "environment", name };
  const address = findWholeReference(text);
  return address === undefined ? undefined : { kind: "secret", address };
}
