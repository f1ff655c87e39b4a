import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { createHttpClient, isServiceUrl } from "../net/http-client.ts";
import { isProviderFailure, ProviderFailure } from "../net/provider-failure.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import { Secret } from "../secret/secret.ts";
import { printBearer } from "./service-authorization.ts";
import { createTokenCache, type TimedToken } from "./token-cache.ts";
import type { TokenRequest } from "./token-request.ts";

/** Gives the job's identity token for an audience (OpenID Connect). Throws ProviderFailure. */
export type AskIdentityToken = (audience: string) => Promise<Secret>;

export interface IdentityTokenOptions {
  /** Undefined where nobody gives one. */
  readonly request: TokenRequest | undefined;
  /** Whether a job of GitHub Actions runs, for words. */
  readonly isJob: boolean;
  now(): Date;
  /** The wait after the first try of three, in milliseconds; half a second without. */
  readonly firstWaitMs?: number;
}

const timeoutMs = 20_000;
const attempts = 3;
const answered = z.object({ value: z.string().regex(/^[\w-]{2,}\.[\w-]{2,}\.[\w-]{2,}$/) });
const claimed = z.object({
  aud: z.union([
    z.string(),
    z
      .array(z.string())
      .length(1)
      .transform(([only = ""]) => only),
  ]),
  iat: z.number(),
  exp: z.number(),
});

/**
 * Identity tokens of a job of GitHub Actions ("OpenID Connect reference" of its documentation). Each
 * is asked for when it is first needed, and again shortly before its end. Throws ProviderFailure `auth`
 * where no job runs that may ask for one.
 */
export function createIdentityTokens(options: IdentityTokenOptions): AskIdentityToken {
  const { request, isJob, firstWaitMs = 500 } = options;
  const now = () => options.now();
  const held = new Map<string, () => Promise<Secret>>();
  return async (audience) => {
    if (request === undefined) throw cannotAsk(isJob);
    const token = held.get(audience) ?? createTokenCache(async () => await ask(request, audience, firstWaitMs), now);
    held.set(audience, token);
    return await token();
  };
}

/** Where nothing was said of a job. */
export const noIdentityTokens: AskIdentityToken = createIdentityTokens({
  request: undefined,
  isJob: false,
  now: () => new Date(),
});

/** Not every rotator tries again what fails before it is open. */
async function ask(request: TokenRequest, audience: string, firstWaitMs: number): Promise<TimedToken> {
  for (let failed = 1; ; failed++) {
    try {
      return await askOnce(request, audience);
    } catch (error) {
      if (!isProviderFailure(error) || error.class !== "transient" || failed === attempts) throw error;
      await sleep(firstWaitMs * 2 ** (failed - 1));
    }
  }
}

async function askOnce(request: TokenRequest, audience: string): Promise<TimedToken> {
  const { origin, pathname, searchParams } = parseAddress(request.url);
  const query = { ...Object.fromEntries(searchParams), audience };
  // Its first path segment may be empty, so the address is taken as it is.
  const client = createHttpClient({ baseUrl: `${origin}${pathname}`, timeoutMs });
  const answer = await client.send({
    method: "GET",
    path: [],
    query,
    headers: { authorization: printBearer(request.bearer) },
    expect: [200, 400, 401, 403],
  });
  if (answer.status !== 200) {
    throw new ProviderFailure("auth", `GitHub gave the job no identity token, with status ${answer.status}`, {
      hints: [permissionHint],
    });
  }
  const read = answered.safeParse(answer.json);
  if (!read.success) throw strange();
  const token = Secret.text(read.data.value);
  request.announce?.(token);
  const claims = claimed.safeParse(readClaims(read.data.value));
  // A token of another audience would be let in elsewhere than the policy says.
  if (!claims.success || claims.data.aud !== audience) throw strange();
  return { token, seconds: claims.data.exp - claims.data.iat };
}

function parseAddress(text: string): URL {
  const isFit = URL.canParse(text) && isServiceUrl(text.replace(/\?[^#]*$/, ""));
  if (isFit) return new URL(text);
  throw new ProviderFailure("auth", "ACTIONS_ID_TOKEN_REQUEST_URL is not an address that a token may be asked at", {
    hints: ["the runner sets it, to an https address: nothing else may"],
  });
}

/** The signature is for the service that the token is shown to. */
function readClaims(token: string): unknown {
  try {
    return JSON.parse(decodeUtf8(Buffer.from(token.split(".")[1] ?? "", "base64url")) ?? "");
  } catch {
    // The cause quotes the claims.
    return undefined;
  }
}

function strange(): ProviderFailure {
  return new ProviderFailure("auth", "GitHub answered with something else than an identity token for the audience");
}

const permissionHint = "give the job: permissions: { contents: read, id-token: write }";

function cannotAsk(isJob: boolean): ProviderFailure {
  if (isJob) {
    return new ProviderFailure("auth", "this job has no permissions: id-token: write, to ask for an identity token", {
      hints: [
        permissionHint,
        "a reusable workflow also needs it from the job that calls it, and a pull request of a fork never has it",
      ],
    });
  }
  return new ProviderFailure("auth", "an identity token is had in a job of GitHub Actions only", {
    hints: ["in GitLab CI name a variable of id_tokens: ${env:NAME}", "elsewhere sign in with another credential"],
  });
}
