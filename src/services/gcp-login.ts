import { z } from "zod";
import { ProviderFailure } from "../net/provider-failure.ts";
import type { Secret } from "../secret/secret.ts";
import { gcpFederation, requestFederatedToken } from "./gcp-federation.ts";
import { findPrivateKey, requestGcpTimedToken } from "./gcp-token.ts";
import { secretReference, type SecretReference } from "./secret-reference.ts";
import type { ServiceAccess } from "./service-access.ts";
import { createTokenCache, type TimedToken } from "./token-cache.ts";

/** An option with an access token, or with what tokens are had with: the key file of a service account, or an identity token. */
export const gcpCredentials = z.union([
  z.strictObject({ access_token: secretReference }),
  z.strictObject({ key: secretReference }),
  gcpFederation,
]);
export type GcpCredentials = z.infer<typeof gcpCredentials>;

/** The references in it. */
export function gcpReferences(credentials: GcpCredentials): readonly SecretReference[] {
  if ("token" in credentials) return [credentials.token];
  return ["key" in credentials ? credentials.key : credentials.access_token];
}

const keyFile = z.object({
  client_email: z.string(),
  private_key: z.string(),
  private_key_id: z.string().optional(),
});

/** Tokens for Google Cloud, which are asked for when they are needed, with a key file at `oauth`. */
export function createGcpTokens(
  credentials: GcpCredentials,
  oauth: string,
  access: ServiceAccess,
): () => Promise<Secret> {
  return createTokenCache(
    async () => await requestToken(credentials, oauth, access),
    () => access.now(),
  );
}

async function requestToken(credentials: GcpCredentials, oauth: string, access: ServiceAccess): Promise<TimedToken> {
  if ("access_token" in credentials) return { token: access.read(credentials.access_token), seconds: undefined };
  if ("token" in credentials) return await requestFederatedToken(credentials, access);
  const parsed = keyFile.safeParse(parseJson(access.read(credentials.key).revealText()));
  const key = findPrivateKey(parsed.data?.private_key);
  if (parsed.data === undefined || key === undefined) {
    throw new ProviderFailure("auth", "the key to log in with is not a key file of a service account");
  }
  const { client_email: email, private_key_id: keyId } = parsed.data;
  return await requestGcpTimedToken({ endpoint: oauth, email, key, keyId }, access);
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    // The cause quotes the text.
    return undefined;
  }
}
