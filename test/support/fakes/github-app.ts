import { generateKeyPairSync, verify } from "node:crypto";
import type { ApiCall, ApiReply } from "./described-api.ts";

interface GrantedToken {
  readonly token: string;
  readonly repositories: unknown;
  readonly permissions: unknown;
  isRevoked: boolean;
}

export interface FakeGithubApp {
  readonly id: number;
  /** As GitHub hands it out: PKCS#1. */
  readonly pem: string;
  /** Every token of the installation, oldest first. */
  readonly granted: readonly GrantedToken[];
  /** Where the App is installed: logins. */
  readonly installedAt: Set<string>;
  /** What the installation may do; a wish for more is refused. */
  readonly rights: Set<string>;
  /** What GitHub answers to a call of an App; undefined for one that is none. */
  answer(call: ApiCall): ApiReply | undefined;
  accepts(token: string): boolean;
}

const installation = 4711;
let pair: { readonly publicKey: string; readonly pem: string } | undefined;

/** Made once a process, since RSA takes long. */
function makePair() {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  pair ??= {
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
    pem: privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
  };
  return pair;
}

/** An App with one installation, which checks the signature and the times of what the App signs in with. */
export function createFakeGithubApp(): FakeGithubApp {
  const id = 901_234;
  const granted: GrantedToken[] = [];
  const installedAt = new Set(["test-owner", "test-org"]);
  const rights = new Set(["secrets", "environments", "organization_secrets", "dependabot_secrets", "metadata"]);
  const keys = pair ?? makePair();
  const isApp = (call: ApiCall) => isSigned(call.header("authorization")?.slice("Bearer ".length) ?? "");

  function isSigned(jwt: string): boolean {
    const [header = "", claims = "", signature = ""] = jwt.split(".");
    if (JSON.stringify(parsePart(header)) !== '{"alg":"RS256","typ":"JWT"}') return false;
    const { iat, exp, iss } = parsePart(claims) as { iat: number; exp: number; iss: string };
    const now = Date.now() / 1000;
    const isInTime = iat <= now && exp > now && exp - now <= 600;
    const isGenuine = verify(
      "sha256",
      Buffer.from(`${header}.${claims}`),
      keys.publicKey,
      Buffer.from(signature, "base64url"),
    );
    return iss === String(id) && isInTime && isGenuine;
  }

  function grant({ params, body }: ApiCall): ApiReply {
    if (params["installation_id"] !== String(installation)) return message(404, "Not Found");
    const wanted = Object.keys((body["permissions"] ?? {}) as object);
    const repositories = (body["repositories"] ?? []) as readonly string[];
    if (wanted.some((it) => !rights.has(it)) || repositories.some((it) => it !== "test-name")) {
      return message(422, "The permissions requested are not granted to this installation.");
    }
    const made: GrantedToken = {
      token: `test-installation-token-${granted.length}`,
      repositories: body["repositories"],
      permissions: body["permissions"],
      isRevoked: false,
    };
    granted.push(made);
    const expires_at = new Date(Date.now() + 3_600_000).toISOString();
    const permissions = (body["permissions"] ?? {}) as object;
    return { status: 201, json: { token: made.token, expires_at, permissions, repository_selection: "selected" } };
  }

  function revoke(call: ApiCall): ApiReply {
    const found = granted.find(({ token }) => call.header("authorization") === `Bearer ${token}`);
    if (found === undefined || found.isRevoked) return message(401, "Bad credentials");
    found.isRevoked = true;
    return { status: 204 };
  }

  return {
    id,
    pem: keys.pem,
    granted,
    installedAt,
    rights,
    accepts: (token) => granted.some((it) => it.token === token && !it.isRevoked),
    answer(call) {
      const { operation, params } = call;
      if (operation === "DELETE /installation/token") return revoke(call);
      const isLookUp = operation.endsWith("/installation");
      if (!isLookUp && !operation.startsWith("POST /app/installations/")) return undefined;
      if (!isApp(call)) return message(401, "A JSON web token could not be decoded");
      if (!isLookUp) return grant(call);
      const isInstalled = installedAt.has(params["owner"] ?? params["org"] ?? "");
      return isInstalled
        ? { status: 200, json: { id: installation, app_id: id, target_type: "User" } }
        : message(404, "Not Found");
    },
  };
}

function parsePart(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    return {};
  }
}

function message(status: number, text: string): ApiReply {
  return { status, json: { message: text } };
}
