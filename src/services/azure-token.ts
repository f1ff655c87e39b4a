import { z } from "zod";
import { createHttpClient } from "../net/http-client.ts";
import { ProviderFailure } from "../net/provider-failure.ts";
import { Secret } from "../secret/secret.ts";
import type { Liveness } from "./liveness.ts";
import type { ServiceAccess } from "./service-access.ts";
import { readAnswer } from "./service-answer.ts";

/** What an application of Entra ID proves itself with: a secret, or a token of an issuer that it trusts. */
export type AzureProof = { readonly secret: Secret } | { readonly assertion: Secret };

export interface AzureLogin {
  /** Such as `https://login.microsoftonline.com`. */
  readonly endpoint: string;
  readonly tenant: string;
  /** What the token is for, such as `https://graph.microsoft.com/.default`. */
  readonly scope: string;
}

const granted = z.object({ access_token: z.string(), expires_in: z.number() });
const refused = z.object({ error: z.string(), error_codes: z.array(z.number()).default([]) });
type Refusal = z.infer<typeof refused>;

/** Codes of Entra ID for a secret that is none of the application's, and one whose time is over. */
const deadCodes = [7_000_215, 7_000_222];

/**
 * A token for the application itself, by client credentials (RFC 6749, section 4.4; RFC 7523,
 * section 2.2, for an assertion), in the form of Microsoft identity platform v2.0. Throws ProviderFailure `auth`.
 */
export async function requestAzureToken(login: AzureLogin, client: string, proof: AzureProof, access: ServiceAccess) {
  const answer = await ask(login, client, proof, access);
  if ("access_token" in answer) return { token: Secret.text(answer.access_token), seconds: answer.expires_in };
  const code = answer.error_codes.find((it) => Number.isSafeInteger(it));
  throw new ProviderFailure("auth", `Microsoft gave no token${code === undefined ? "" : `: AADSTS${code}`}`, {
    hints: [
      "assertion" in proof
        ? "an assertion is good for minutes: take it just before the run, with the audience api://AzureADTokenExchange"
        : "check the tenant, the client and the secret that it logs in with",
    ],
  });
}

/** Whether a secret of an application is let in. Throws ProviderFailure when nothing can be said. */
export async function probeAzureSecret(
  login: AzureLogin,
  client: string,
  secret: Secret,
  access: ServiceAccess,
): Promise<Liveness> {
  const answer = await ask(login, client, { secret }, access);
  if ("access_token" in answer) return "live";
  return answer.error_codes.some((code) => deadCodes.includes(code)) ? "dead" : "unknown";
}

async function ask(
  { endpoint, tenant, scope }: AzureLogin,
  client: string,
  proof: AzureProof,
  { timeoutMs }: ServiceAccess,
): Promise<z.infer<typeof granted> | Refusal> {
  const form = {
    grant_type: "client_credentials",
    client_id: client,
    scope,
    ...("secret" in proof
      ? { client_secret: proof.secret }
      : {
          client_assertion: proof.assertion,
          client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }),
  };
  const path = [tenant, "oauth2", "v2.0", "token"];
  const http = createHttpClient({ baseUrl: endpoint, timeoutMs });
  const answer = await http.send({ method: "POST", path, body: { form }, expect: [200, 400, 401] });
  return answer.status === 200 ? readAnswer(granted, answer) : readAnswer(refused, answer);
}
