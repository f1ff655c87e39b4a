import { createPrivateKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { createHttpClient, type HttpAnswer } from "../net/http-client.ts";
import { ProviderFailure } from "../net/provider-failure.ts";
import { Secret } from "../secret/secret.ts";
import type { Liveness } from "./liveness.ts";
import type { ServiceAccess } from "./service-access.ts";
import { agreesOnTime, readAnswer } from "./service-answer.ts";
import { printSignedToken } from "./signed-token.ts";
import type { TimedToken } from "./token-cache.ts";

/** Where Google exchanges assertions for tokens. */
export interface GcpLogin {
  /** Such as `https://oauth2.googleapis.com`. */
  readonly endpoint: string;
  readonly email: string;
  readonly key: KeyObject;
  /** The id of the key at Google; without, it tries all keys of the account. */
  readonly keyId?: string | undefined;
}

const audience = "https://oauth2.googleapis.com/token";
const scope = "https://www.googleapis.com/auth/cloud-platform";
const lifetimeSeconds = 600;
const granted = z.object({ access_token: z.string(), expires_in: z.number().optional() });
const refused = z.object({ error: z.string() });

/** A token of a service account, by an assertion that its key signs (RFC 7523). Throws ProviderFailure `auth`. */
export async function requestGcpTimedToken(login: GcpLogin, access: ServiceAccess): Promise<TimedToken> {
  const answer = await ask(login, access);
  if (answer.status === 200) {
    const { access_token: token, expires_in: seconds } = readAnswer(granted, answer);
    return { token: Secret.text(token), seconds };
  }
  throw new ProviderFailure("auth", "Google gave the service account no token", {
    hints: ["check that its key is the right one and is not disabled, and the clock of this machine"],
  });
}

/** Whether a key of a service account is let in. Throws ProviderFailure when Google cannot be asked. */
export async function probeGcpKey(login: GcpLogin, access: ServiceAccess): Promise<Liveness> {
  const answer = await ask(login, access);
  if (answer.status === 200) return "live";
  const isRefused = readAnswer(refused, answer).error === "invalid_grant";
  // An assertion of another time is refused with the same error.
  return isRefused && agreesOnTime(answer, access.now()) ? "dead" : "unknown";
}

/** The key in PEM text; undefined when it is none. */
export function findPrivateKey(text: string | undefined): KeyObject | undefined {
  try {
    return createPrivateKey(text ?? "");
  } catch {
    return undefined;
  }
}

async function ask(login: GcpLogin, access: ServiceAccess): Promise<HttpAnswer> {
  const form = { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: printAssertion(login, access) };
  const http = createHttpClient({ baseUrl: login.endpoint, timeoutMs: access.timeoutMs });
  return await http.send({ method: "POST", path: ["token"], body: { form }, expect: [200, 400, 401] });
}

function printAssertion({ email, key, keyId }: GcpLogin, access: ServiceAccess): Secret {
  const iat = Math.floor(access.now().getTime() / 1000);
  return printSignedToken({ iss: email, scope, aud: audience, iat, exp: iat + lifetimeSeconds }, key, keyId);
}
