import { randomBytes } from "node:crypto";
import type { ServiceAccess } from "../../src/services/service-access.ts";
import { Secret } from "../../src/secret/secret.ts";
import { referenceKey } from "../../src/services/secret-reference.ts";

/** What a provider is opened with: `${env:NAME}`, and `${oidc:NAME}`, stands for the text of that name. */
export function providerAccess(values: Readonly<Record<string, string>>, timeoutMs = 10_000): ServiceAccess {
  return {
    read(reference) {
      const name = referenceKey(reference).replace(/^env:|^oidc:|^.*\//, "");
      const value = values[name];
      if (value === undefined) throw new Error(`the test has no value for ${name}`);
      return Secret.text(value);
    },
    random: (size) => randomBytes(size),
    now: () => new Date(),
    timeoutMs,
  };
}

/** The text of a part of a credential. */
export function partOf(credential: { readonly parts: Readonly<Record<string, Secret>> }, name: string): string {
  return credential.parts[name]?.revealText() ?? "";
}
