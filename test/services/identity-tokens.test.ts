import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isProviderFailure, type ProviderFailure } from "../../src/net/provider-failure.ts";
import { Secret } from "../../src/secret/secret.ts";
import { createIdentityTokens } from "../../src/services/identity-tokens.ts";
import { findReference } from "../../src/services/secret-reference.ts";
import { findCanaries } from "../support/canary.ts";
import { startFakeIdentity, type FakeIdentity } from "../support/fakes/github-identity.ts";

let github: FakeIdentity;
beforeEach(async () => {
  github = await startFakeIdentity();
});
afterEach(async () => await github.stop());

const audience = "https://vault.example.com";

function begin(more: { url?: string; bearer?: string; isJob?: boolean; has?: boolean } = {}) {
  const { url = github.requestUrl, bearer = github.bearer, isJob = true, has = true } = more;
  const state = { nowMs: Date.now(), announced: [] as string[] };
  const announce = (token: Secret) => void state.announced.push(token.revealText() ?? "");
  const ask = createIdentityTokens({
    request: has ? { url, bearer: Secret.text(bearer), announce } : undefined,
    isJob,
    now: () => new Date(state.nowMs),
    firstWaitMs: 1,
  });
  return { state, ask };
}

async function failureOf(asked: Promise<unknown>): Promise<ProviderFailure> {
  const error: unknown = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isProviderFailure(error)) throw new Error("no failure", { cause: error });
  return error;
}

describe("identity tokens of a job", () => {
  it("are asked for once an audience, announced, and asked for again shortly before their end", async () => {
    const { state, ask } = begin();
    const [first, again] = await Promise.all([ask(audience), ask(audience)]);
    expect(github.check(first.revealText() ?? "", audience)).toMatchObject({ repository: "acme/api" });
    expect(again).toBe(first);
    await ask("sts.amazonaws.com");
    expect(github.asked).toEqual([audience, "sts.amazonaws.com"]);
    state.nowMs += 170_000;
    expect(await ask(audience)).toBe(first);
    state.nowMs += 20_000;
    expect(await ask(audience)).not.toBe(first);
    expect(github.asked.length).toBe(3);
    expect(state.announced).toEqual(github.given);
  });

  it("are asked for at the address with its query and its empty path segment, as the runner gives it", async () => {
    expect(github.requestUrl).toMatch(/\/149\/\/idtoken\/.*\?api-version=2\.0$/);
    await begin().ask("api://AzureADTokenExchange");
    expect(github.asked).toEqual(["api://AzureADTokenExchange"]);
  });

  it("are not had without the permission, and it says which line to add", async () => {
    const failure = await failureOf(begin({ has: false }).ask(audience));
    expect([failure.class, failure.message]).toEqual([
      "auth",
      "this job has no permissions: id-token: write, to ask for an identity token",
    ]);
    expect(failure.hints[0]).toContain("permissions: { contents: read, id-token: write }");
    expect(github.asked).toEqual([]);
  });

  it("are not had where no job runs, and it says what to take in GitLab", async () => {
    const failure = await failureOf(begin({ has: false, isJob: false }).ask(audience));
    expect([failure.class, failure.message]).toEqual([
      "auth",
      "an identity token is had in a job of GitHub Actions only",
    ]);
    expect(failure.hints.join()).toContain("id_tokens");
  });

  it.each([
    ["http elsewhere", "http://pipelines.example.com/idtoken?api-version=2.0"],
    ["a user", "https://user:test@pipelines.example.com/idtoken"],
    ["a fragment", "https://pipelines.example.com/idtoken?a=b#c"],
    ["no address", "idtoken"],
  ])("are not asked for at %s", async (_, url) => {
    const failure = await failureOf(begin({ url }).ask(audience));
    expect([failure.class, failure.message]).toEqual([
      "auth",
      "ACTIONS_ID_TOKEN_REQUEST_URL is not an address that a token may be asked at",
    ]);
    expect(failure.message + failure.hints.join()).not.toContain("example.com");
  });

  it("are refused with a bearer that is over", async () => {
    const failure = await failureOf(begin({ bearer: "test-old" }).ask(audience));
    expect([failure.class, failure.hints[0]]).toEqual(["auth", expect.stringContaining("id-token: write")]);
  });

  it("are tried for three times, and asked for again after the service could not give one", async () => {
    const { ask } = begin();
    github.answerNext(503, "{}", 3);
    expect((await failureOf(ask(audience))).class).toBe("transient");
    github.answerNext(502, "{}", 2);
    expect(github.check((await ask(audience)).revealText() ?? "", audience)).toBeDefined();
    expect(github.asked.length).toBe(6);
  });

  it("are not tried for again when the job is refused", async () => {
    github.answerNext(403, "{}");
    expect((await failureOf(begin().ask(audience))).class).toBe("auth");
    expect(github.asked.length).toBe(1);
  });

  const print = (claims: unknown) =>
    `test.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.test-canary-signature`;
  it.each([
    ["no JSON", "test-canary-signature"],
    ["no value", JSON.stringify({ token: "test-canary-signature" })],
    ["what is no token", JSON.stringify({ value: "test-canary-signature" })],
    ["a line break in it", JSON.stringify({ value: `${print({ aud: audience, iat: 1, exp: 2 })}\n` })],
    ["claims that are none", JSON.stringify({ value: "test.test-canary-signature.test" })],
    ["another audience", JSON.stringify({ value: print({ aud: "https://github.com/acme", iat: 1, exp: 301 }) })],
    ["a second audience", JSON.stringify({ value: print({ aud: [audience, "other"], iat: 1, exp: 301 }) })],
    ["no end", JSON.stringify({ value: print({ aud: audience, iat: 1 }) })],
  ])("are none when the answer has %s, and nothing of it is repeated", async (_, body) => {
    github.answerNext(200, body);
    const failure = await failureOf(begin().ask(audience));
    expect(failure.message).toContain("something else than an identity token");
    expect(findCanaries(inspect(failure, { depth: 9 }), ["test-canary-signature", github.bearer])).toEqual([]);
  });

  it("take an audience that stands alone in a list", async () => {
    const value = print({ aud: [audience], iat: 1, exp: 301 });
    github.answerNext(200, JSON.stringify({ value }));
    expect((await begin().ask(audience)).revealText()).toBe(value);
  });
});

describe("a reference to an identity token", () => {
  it.each([
    "https://vault.example.com",
    "api://AzureADTokenExchange",
    "sts.amazonaws.com",
    "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
  ])("names the audience: %s", (text) => {
    expect(findReference(`\${oidc:${text}}`)).toEqual({ kind: "oidc", audience: text });
  });

  it.each([
    "${oidc:}",
    "${oidc:a b}",
    "${oidc:a}b",
    "${oidc:${env:A}}",
    "${oidc:a&audience=b}",
    "${OIDC:a}",
    "${oidc:a\n}",
  ])("is none: %s", (text) => {
    expect(findReference(text)).toBeUndefined();
  });
});
