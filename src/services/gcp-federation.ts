import { z } from "zod";
import { createHttpClient, type HttpAnswer, type HttpRequest } from "../net/http-client.ts";
import { isProviderFailure, ProviderFailure } from "../net/provider-failure.ts";
import { Secret } from "../secret/secret.ts";
import { secretReference } from "./secret-reference.ts";
import { readFresh, type ServiceAccess } from "./service-access.ts";
import { readAnswer } from "./service-answer.ts";
import { printBearer } from "./service-authorization.ts";
import { serviceEndpoint } from "./service-endpoint.ts";
import type { TimedToken } from "./token-cache.ts";

/** An option with a token of an issuer that a workload identity pool trusts, and the service account to act as. */
export const gcpFederation = z.strictObject({
  workload_identity_provider: z
    .string()
    .regex(
      /^projects\/\d{1,20}\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{4,32}\/providers\/[a-z0-9-]{4,32}$/,
      {
        error: "write projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER",
      },
    ),
  token: secretReference,
  /** Without, the token is that of the workload itself. */
  service_account: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}@[a-z0-9][a-z0-9.-]{2,127}$/)
    .exactOptional(),
  sts: serviceEndpoint("sts.googleapis.com").exactOptional(),
  iam_credentials: serviceEndpoint("iamcredentials.googleapis.com").exactOptional(),
});
export type GcpFederation = z.infer<typeof gcpFederation>;

const page = "docs/ci-identities.md";
const scope = "https://www.googleapis.com/auth/cloud-platform";
const exchanged = z.object({ access_token: z.string().min(1), expires_in: z.number().optional() });
const generated = z.object({ accessToken: z.string().min(1), expireTime: z.string() });

/**
 * A token for Google Cloud in exchange for an identity token (Security Token Service API v1, RFC 8693), and
 * with it one of the service account (IAM Service Account Credentials API v1). Throws ProviderFailure.
 */
export async function requestFederatedToken(login: GcpFederation, access: ServiceAccess): Promise<TimedToken> {
  const own = await exchange(login, access);
  return login.service_account === undefined ? own : await impersonate(login, login.service_account, own, access);
}

async function exchange(login: GcpFederation, access: ServiceAccess): Promise<TimedToken> {
  const subjectToken = Secret.text((await readFresh(login.token, access)).revealText()?.trim() ?? "");
  const json = {
    grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: `//iam.googleapis.com/${login.workload_identity_provider}`,
    scope,
    requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
    subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
    subjectToken,
  };
  const request = { method: "POST", path: ["v1", "token"], body: { json } } as const;
  const answer = await send(
    login.sts ?? "https://sts.googleapis.com",
    { ...request, expect: [200, 400, 401, 403, 404] },
    access,
  );
  if (answer.status !== 200) {
    throw new ProviderFailure("auth", `Google did not exchange the identity token, with status ${answer.status}`, {
      hints: [`compare the audience, the mapping and the condition of the pool's provider with ${page}`],
    });
  }
  const { access_token: token, expires_in: seconds } = readAnswer(exchanged, answer);
  return { token: Secret.text(token), seconds };
}

async function impersonate(
  login: GcpFederation,
  email: string,
  { token: own }: TimedToken,
  access: ServiceAccess,
): Promise<TimedToken> {
  const request = {
    method: "POST",
    path: ["v1", "projects", "-", "serviceAccounts", `${email}:generateAccessToken`],
    headers: { authorization: printBearer(own) },
    body: { json: { scope: [scope] } },
    expect: [200, 400, 401, 403, 404],
  } as const;
  const answer = await send(login.iam_credentials ?? "https://iamcredentials.googleapis.com", request, access);
  if (answer.status !== 200) {
    throw new ProviderFailure("auth", `Google gave no token of the service account, with status ${answer.status}`, {
      hints: [`the workload needs roles/iam.workloadIdentityUser on the service account: ${page}`],
    });
  }
  const { accessToken: token, expireTime } = readAnswer(generated, answer);
  const end = Date.parse(expireTime);
  return {
    token: Secret.text(token),
    seconds: Number.isNaN(end) ? undefined : (end - access.now().getTime()) / 1000,
  };
}

/** To ask for a token twice does no harm, so nothing is left in doubt. */
async function send(baseUrl: string, request: HttpRequest, { timeoutMs }: ServiceAccess): Promise<HttpAnswer> {
  return await createHttpClient({ baseUrl, timeoutMs })
    .send(request)
    .catch((error: unknown) => {
      if (!isProviderFailure(error) || error.class !== "unknown") throw error;
      throw new ProviderFailure("transient", error.message, { retryAfterMs: error.retryAfterMs, cause: error.cause });
    });
}
