import { createPublicKey, generateKeyPairSync, sign, verify, type KeyPairKeyObjectResult } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** The place where a job of GitHub Actions has its identity tokens, and GitHub's issuer, on this machine. */
export interface FakeIdentity {
  /** As the runner sets it, a query and an empty path segment included. */
  readonly requestUrl: string;
  readonly bearer: string;
  /** The two variables of a job with `id-token: write`. */
  readonly variables: Readonly<Record<string, string>>;
  readonly issuer: string;
  readonly jwksUrl: string;
  /** What the next tokens say beside issuer, audience and times. */
  claims: Record<string, unknown>;
  /** Seconds that tokens are good. */
  lifetime: number;
  /** The audience of each token that was asked for. */
  readonly asked: readonly string[];
  /** Every token that was given. */
  readonly given: readonly string[];
  /** Answers the next requests for a token with this in place of one. */
  answerNext(status: number, body: string, times?: number): void;
  /** The claims of a token of this issuer for an audience, with what is wrong otherwise. */
  check(token: string, audience: string): Readonly<Record<string, unknown>>;
  stop(): Promise<void>;
}

const bearer = "test-request-bearer-93481";
const keyId = "test-key";
/** Made once: primes take their time. */
let pair: KeyPairKeyObjectResult | undefined;

/**
 * The requests and answers that "OpenID Connect reference" of GitHub's documentation and its toolkit have:
 * GET with the bearer and `audience`, an answer with `value`. Whatever else it is asked is a 404.
 */
export async function startFakeIdentity(): Promise<FakeIdentity> {
  const keys = (pair ??= generateKeyPairSync("rsa", { modulusLength: 2048 }));
  const asked: string[] = [];
  const given: string[] = [];
  const next: (readonly [number, string])[] = [];

  const print = (claims: object) => {
    const parts = [{ alg: "RS256", typ: "JWT", kid: keyId }, claims];
    const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return `${text}.${sign("sha256", Buffer.from(text), keys.privateKey).toString("base64url")}`;
  };
  const answer = ({ method, url = "", headers }: IncomingMessage): readonly [number, string] => {
    const { pathname, searchParams } = new URL(`http://localhost${url}`);
    if (method !== "GET") return [404, ""];
    if (pathname === "/.well-known/jwks") {
      const jwk = createPublicKey(keys.publicKey.export({ type: "spki", format: "pem" })).export({ format: "jwk" });
      return [200, JSON.stringify({ keys: [{ ...jwk, kid: keyId, alg: "RS256", use: "sig" }] })];
    }
    if (pathname !== path || searchParams.get("api-version") !== "2.0") return [404, ""];
    if (headers.authorization !== `Bearer ${bearer}`) return [401, JSON.stringify({ message: headers.authorization })];
    const audience = searchParams.get("audience") ?? "https://github.com/acme";
    asked.push(audience);
    const reply = next.shift();
    if (reply !== undefined) return reply;
    const now = Math.floor(Date.now() / 1000);
    const times = { iat: now, nbf: now - 300, exp: now + fake.lifetime, jti: `test-${asked.length}` };
    const token = print({ ...fake.claims, ...times, iss: fake.issuer, aud: audience });
    given.push(token);
    return [200, JSON.stringify({ count: token.length, value: token })];
  };

  const server = createServer((request, response) => {
    const [status, body] = answer(request);
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const requestUrl = `${issuer}${path}?api-version=2.0`;
  const fake: FakeIdentity = {
    requestUrl,
    bearer,
    variables: { ACTIONS_ID_TOKEN_REQUEST_URL: requestUrl, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer },
    issuer,
    jwksUrl: `${issuer}/.well-known/jwks`,
    claims: {
      sub: "repo:acme@1001/api@2002:environment:production",
      repository: "acme/api",
      environment: "production",
    },
    lifetime: 300,
    asked,
    given,
    answerNext: (status, body, times = 1) =>
      void next.push(...Array.from({ length: times }, () => [status, body] as const)),
    check(token, audience) {
      const [head = "", claims = "", signature = ""] = token.split(".");
      const isSigned = verify(
        "sha256",
        Buffer.from(`${head}.${claims}`),
        keys.publicKey,
        Buffer.from(signature, "base64url"),
      );
      const said = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<string, unknown>;
      const isNow = Number(said["exp"]) > Date.now() / 1000;
      if (!isSigned || said["aud"] !== audience || said["iss"] !== issuer || !isNow)
        throw new Error("not such a token");
      return said;
    },
    async stop() {
      server.closeAllConnections();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
  return fake;
}

const path = "/149//idtoken/11111111-2222-3333-4444-555555555555/66666666-7777-8888-9999-000000000000";
