import { z } from "zod";
import type { ServiceAccess } from "./service-access.ts";
import { secretReference, type SecretReference } from "./secret-reference.ts";

/** An option with the certificates to trust in place of the usual ones: PEM text, or a reference to it. */
export const trustedAuthority = z.union(
  [
    z.string().regex(/^\s*-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s-]*-----END CERTIFICATE-----\s*$/),
    secretReference,
  ],
  { error: "ca is the PEM text of certificates, or ${secret:scope/NAME} or ${env:NAME} with it" },
);
export type TrustedAuthority = z.infer<typeof trustedAuthority>;

/** The PEM text. */
export function readAuthority(
  authority: TrustedAuthority | undefined,
  access: Pick<ServiceAccess, "read">,
): string | undefined {
  return typeof authority === "object" ? access.read(authority).revealText() : authority;
}

/** The reference in it, for `references` of a rotator. */
export function authorityReferences(authority: TrustedAuthority | undefined): readonly SecretReference[] {
  return typeof authority === "object" ? [authority] : [];
}
