import { z } from "zod";
import type { Secret } from "../secret/secret.ts";
import { requestAzureToken, type AzureLogin } from "./azure-token.ts";
import { secretReference, type SecretReference } from "./secret-reference.ts";
import { readFresh, type ServiceAccess } from "./service-access.ts";
import { createTokenCache } from "./token-cache.ts";

/** Where Entra ID gives tokens. */
export const azureLoginHosts = [
  "login.microsoftonline.com",
  "login.microsoftonline.us",
  "login.partner.microsoftonline.cn",
] as const;

const application = {
  /** The directory: its id or one of its domains. */
  tenant: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,127}$/),
  client: z.string().regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i),
};

/** An option with an application of Entra ID and what it proves itself with. */
export const azureCredentials = z.union([
  z.strictObject({ ...application, secret: secretReference }),
  z.strictObject({ ...application, assertion: secretReference }),
]);
export type AzureCredentials = z.infer<typeof azureCredentials>;

/** The references in it. */
export function azureReferences(credentials: AzureCredentials): readonly SecretReference[] {
  return ["secret" in credentials ? credentials.secret : credentials.assertion];
}

/** Tokens of the application for one service, which are asked for when they are needed. */
export function createAzureTokens(
  credentials: AzureCredentials,
  { endpoint, scope }: Pick<AzureLogin, "endpoint" | "scope">,
  access: ServiceAccess,
): () => Promise<Secret> {
  const login = { endpoint, tenant: credentials.tenant, scope };
  const ask = async () => {
    const proof =
      "secret" in credentials
        ? { secret: access.read(credentials.secret) }
        : { assertion: await readFresh(credentials.assertion, access) };
    return await requestAzureToken(login, credentials.client, proof, access);
  };
  return createTokenCache(ask, () => access.now());
}
