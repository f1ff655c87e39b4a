import { z } from "zod";
import { isServiceUrl, type HeaderValues, type HttpAnswer, type HttpRequest } from "../net/http-client.ts";
import { ProviderFailure, type FailureClass } from "../net/provider-failure.ts";
import { Secret } from "../secret/secret.ts";
import { readAnswer } from "./service-answer.ts";
import { readFresh, type ServiceAccess } from "./service-access.ts";
import { createTargetClient } from "./service-client.ts";
import { secretReference, type SecretReference } from "./secret-reference.ts";
import { authorityReferences, readAuthority, trustedAuthority } from "./trusted-authority.ts";

/** A path in Vault, such as a mount: segments of letters, digits, `_`, `.` and `-`, none of them `.` or `..`. */
export const vaultPath = z.string().regex(/^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*$/, {
  error: "a path in Vault is segments of letters, digits, _, . and -, joined by /, without one at its ends",
});

const login = z.union([
  z.strictObject({ token: secretReference }),
  z.strictObject({
    method: z.literal("approle"),
    mount: vaultPath.default("approle"),
    role_id: z.union([secretReference, z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/)]),
    secret_id: secretReference,
  }),
  z.strictObject({
    method: z.literal("jwt"),
    mount: vaultPath.default("jwt"),
    role: z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/),
    jwt: secretReference,
  }),
]);

/** Options that say where a Vault is and how to sign in there, for the options of what works with one. */
export const vaultConnectionOptions = {
  /** Such as `https://vault.example.com:8200`. */
  address: z.string().refine((text) => isServiceUrl(text), {
    error: "address is https, or http on this machine, without a user and a query",
  }),
  namespace: vaultPath.exactOptional(),
  auth: login,
  ca: trustedAuthority.exactOptional(),
};

/** Where a Vault is, and how to sign in there. */
export type VaultConnection = z.infer<z.ZodObject<typeof vaultConnectionOptions>>;

/** The references in it. */
export function vaultReferences({ auth, ca }: VaultConnection): readonly SecretReference[] {
  return [...loginReferences(auth), ...authorityReferences(ca)];
}

function loginReferences(auth: VaultConnection["auth"]): readonly SecretReference[] {
  if ("token" in auth) return [auth.token];
  if (auth.method === "jwt") return [auth.jwt];
  return [...(typeof auth.role_id === "string" ? [] : [auth.role_id]), auth.secret_id];
}

/** Somebody who is signed in. Paths are below `/v1`. */
export interface VaultSession {
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Ends a token that signing in gave; one that was given to us stays. Never throws. */
  close(): Promise<void>;
}

const signedIn = z.object({ auth: z.object({ client_token: z.string().min(1) }) });

/** Signs in (Vault HTTP API, `auth/<mount>/login`). Throws ProviderFailure `auth` when it is not let in. */
export async function openVaultSession(connection: VaultConnection, access: ServiceAccess): Promise<VaultSession> {
  const { address, namespace, auth, ca } = connection;
  const client = createTargetClient("vault", {
    baseUrl: `${address.replace(/\/+$/, "")}/v1`,
    timeoutMs: access.timeoutMs,
    ca: readAuthority(ca, access),
    headers: { "x-vault-request": "true", ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }) },
    classify,
  });
  if ("token" in auth) {
    const headers = tokenHeader(access.read(auth.token));
    return { send: (request) => client.send(withHeaders(request, headers)), close: () => Promise.resolve() };
  }
  const answer = await client.send({
    method: "POST",
    path: ["auth", ...auth.mount.split("/"), "login"],
    body: { json: await loginBody(auth, access) },
    expect: [200, 400, 403, 404],
  });
  if (answer.status !== 200) {
    throw new ProviderFailure("auth", `Vault refused the login by ${auth.method} with status ${answer.status}`, {
      hints: ["check mount and role of auth, and that what proves it is neither used up nor expired"],
    });
  }
  const headers = tokenHeader(Secret.text(readAnswer(signedIn, answer).auth.client_token));
  return {
    send: (request) => client.send(withHeaders(request, headers)),
    async close() {
      const path = ["auth", "token", "revoke-self"];
      // The token ends by itself in any case.
      await client.send({ method: "POST", path, headers, expect: [204] }).catch(() => undefined);
    },
  };
}

async function loginBody(auth: Exclude<VaultConnection["auth"], { token: unknown }>, access: ServiceAccess) {
  if (auth.method === "jwt") return { role: auth.role, jwt: trimmed(await readFresh(auth.jwt, access)) };
  const { role_id: role, secret_id: secret } = auth;
  return {
    role_id: typeof role === "string" ? role : trimmed(access.read(role)),
    secret_id: trimmed(access.read(secret)),
  };
}

function tokenHeader(token: Secret): HeaderValues {
  return { "x-vault-token": trimmed(token) };
}

/** Tokens are often kept in files, which end in a line break. */
function trimmed(value: Secret): Secret {
  return Secret.text((value.revealText() ?? "").trim());
}

function withHeaders(request: HttpRequest, headers: HeaderValues): HttpRequest {
  return { ...request, headers: { ...request.headers, ...headers } };
}

/** A standby of another cluster (472, 473) and one that is behind (412) can be asked later. */
function classify(status: number): FailureClass | undefined {
  return status === 412 || status === 472 || status === 473 ? "transient" : undefined;
}
