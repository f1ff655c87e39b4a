import type { Secret } from "../secret/secret.ts";
import { noIdentityTokens, type AskIdentityToken } from "./identity-tokens.ts";
import { referenceKey, type KeptReference, type SecretReference } from "./secret-reference.ts";
import type { ServiceAccess } from "./service-access.ts";

/** Where the values of references come from. */
export interface ReferenceSources {
  /** Throws for a value that is not there. */
  kept(reference: KeptReference): Promise<Secret>;
  /** Undefined where there is no job to be asked. */
  readonly identityToken: AskIdentityToken | undefined;
}

/** Reads all references that the options of something say they need. Throws what a source throws. */
export async function openReferences(
  references: readonly SecretReference[],
  sources: ReferenceSources,
): Promise<Required<Pick<ServiceAccess, "read" | "readFresh">>> {
  const { identityToken = noIdentityTokens } = sources;
  const ask = async (it: SecretReference) =>
    it.kind === "oidc" ? await identityToken(it.audience) : await sources.kept(it);
  const values = new Map<string, Secret>();
  for (const reference of references) values.set(referenceKey(reference), await ask(reference));
  const read = (reference: SecretReference): Secret => {
    const value = values.get(referenceKey(reference));
    if (value === undefined) throw new Error("the options did not say that they need this reference");
    return value;
  };
  return {
    read,
    async readFresh(reference) {
      const value = read(reference);
      return reference.kind === "oidc" ? await identityToken(reference.audience) : value;
    },
  };
}
