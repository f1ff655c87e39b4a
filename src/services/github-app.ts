import { createPrivateKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { createHttpClient, type HttpRequest } from "../net/http-client.ts";
import { isProviderFailure, ProviderFailure } from "../net/provider-failure.ts";
import { Secret } from "../secret/secret.ts";
import { githubClientOptions } from "./github-client.ts";
import { secretReference } from "./secret-reference.ts";
import type { ServiceAccess } from "./service-access.ts";
import { readAnswer } from "./service-answer.ts";
import { printSignedToken } from "./signed-token.ts";

/** Options of an App that signs in. */
export const githubAppOptions = z.strictObject({
  /** The App's id, or its client id. */
  id: z.union([z.int().positive(), z.string().regex(/^[A-Za-z0-9.]{1,40}$/)]),
  /** A private key of the App, as GitHub gave it. */
  private_key: secretReference,
  /** The number of its installation; without, GitHub is asked for that of the account. */
  installation: z.int().positive().exactOptional(),
});

/** What a token may do, such as `{secrets: "write"}`. */
export type GithubPermissions = Readonly<Record<string, "read" | "write">>;

export interface GithubAppLogin {
  readonly api: string;
  /** The App's id, or its client id. */
  readonly id: string;
  /** PEM, PKCS#1 as GitHub gives it, or PKCS#8. */
  readonly key: Secret;
  readonly installation?: number | undefined;
  /** Where it is installed: `repos/owner/name` or `orgs/name`, in segments. */
  readonly place: readonly string[];
  /** What the token may do; without, all that the App may. */
  readonly permissions?: GithubPermissions | undefined;
}

const installed = z.object({ id: z.int() });
const granted = z.object({ token: z.string().min(1) });

/**
 * A token of an App's installation, for the place and permissions alone, good for an hour. Throws
 * ProviderFailure: `auth` when the App has no such right or is not installed there.
 */
export async function requestInstallationToken(login: GithubAppLogin, access: ServiceAccess): Promise<Secret> {
  const jwt = printAppToken(login.id, parseKey(login.key), access.now());
  const client = createHttpClient(githubClientOptions(login.api, jwt, access));
  const { place, permissions } = login;
  const installation = login.installation ?? (await findInstallation());
  const [kind, , repository] = place;
  const narrowed = {
    ...(kind === "repos" ? { repositories: [repository] } : {}),
    ...(permissions === undefined ? {} : { permissions }),
  };
  const path = ["app", "installations", String(installation), "access_tokens"];
  const answer = await ask({ method: "POST", path, body: { json: narrowed }, expect: [201, 422] });
  if (answer.status === 201) return Secret.text(readAnswer(granted, answer).token);
  throw refusal("the GitHub App's installation does not have the permission or the repository");

  async function findInstallation(): Promise<number> {
    const found = await ask({ method: "GET", path: [...place, "installation"], expect: [200] });
    return readAnswer(installed, found).id;
  }
  async function ask(request: HttpRequest) {
    return await client.send(request).catch((error: unknown) => {
      if (!isProviderFailure(error) || error.class !== "auth") throw error;
      throw refusal("GitHub did not let the App in");
    });
  }
}

/** Ends a token of an installation. What GitHub says to it is of no matter: the token ends in an hour anyway. */
export async function revokeInstallationToken(api: string, token: Secret, access: ServiceAccess): Promise<void> {
  const client = createHttpClient(githubClientOptions(api, token, access));
  await client.send({ method: "DELETE", path: ["installation", "token"], expect: [204] }).catch((error: unknown) => {
    if (!isProviderFailure(error)) throw error;
  });
}

const lifetimeSeconds = 540;
/** GitHub refuses a token that was made in its future. */
const skewSeconds = 60;

/** What an App signs in with itself: at most ten minutes, by GitHub's rule. */
function printAppToken(id: string, key: KeyObject, now: Date): Secret {
  const seconds = Math.floor(now.getTime() / 1000);
  return printSignedToken({ iat: seconds - skewSeconds, exp: seconds + lifetimeSeconds - skewSeconds, iss: id }, key);
}

function parseKey(key: Secret): KeyObject {
  try {
    const parsed = createPrivateKey(key.revealText() ?? "");
    if (parsed.asymmetricKeyType === "rsa") return parsed;
  } catch {
    // Node's complaint may quote the key.
  }
  throw new ProviderFailure("auth", "the private key of the GitHub App is not an RSA key in PEM", {
    hints: [
      "store the whole .pem file that GitHub gave when the key was made: gh secret set NAME < app.pem, sealtree set ADDRESS --from-file app.pem",
    ],
  });
}

function refusal(message: string): ProviderFailure {
  return new ProviderFailure("auth", message, {
    hints: [
      "check the App's id and key, where it is installed and what it may do there, and the clock of this machine",
    ],
  });
}
