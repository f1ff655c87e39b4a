import { z } from "zod";
import { printAddress, type Address } from "../secret/address.ts";
import { findWholeReference } from "../secret/reference.ts";

/** Where an option's value is kept: in another secret, or in the environment of the run. */
export type KeptReference =
  | { readonly kind: "secret"; readonly address: Address }
  | { readonly kind: "environment"; readonly name: string };

/** Where an option's value comes from; `oidc` is an identity token of the job for an audience. */
export type SecretReference = KeptReference | { readonly kind: "oidc"; readonly audience: string };

/** An option that holds `${secret:scope/NAME}`, `${env:NAME}` or `${oidc:AUDIENCE}`, and never the value itself. */
export const secretReference = z.string().transform((text, context): SecretReference => {
  const found = findReference(text);
  if (found !== undefined) return found;
  const message = "write ${secret:scope/NAME}, ${env:NAME} or ${oidc:AUDIENCE}, never the value itself";
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

/** The reference that `text` is as a whole; undefined when it is none. */
export function findReference(text: string): SecretReference | undefined {
  const name = /^\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(text)?.[1];
  if (name !== undefined) return { kind: "environment", name };
  const audience = /^\$\{oidc:([A-Za-z0-9/][A-Za-z0-9._~:/@%+=-]{0,510})\}$/.exec(text)?.[1];
  if (audience !== undefined) return { kind: "oidc", audience };
  const address = findWholeReference(text);
  return address === undefined ? undefined : { kind: "secret", address };
}

/** What tells references apart, and can be shown: the address, `env:NAME` or `oidc:AUDIENCE`. */
export function referenceKey(reference: SecretReference): string {
  switch (reference.kind) {
    case "secret":
      return printAddress(reference.address);
    case "environment":
      return `env:${reference.name}`;
    case "oidc":
      return `oidc:${reference.audience}`;
  }
}
