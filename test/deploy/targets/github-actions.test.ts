import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { githubActionsTarget } from "../../../src/deploy/targets/github-actions.ts";
import { startFakeGithubSecrets, type FakeGithubSecrets } from "../../support/fakes/github-secrets.ts";
import { describesHttpTarget } from "../../support/http-target-contract.ts";
import { nastyValues } from "../../support/nasty-values.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { findFreePort } from "../../support/servers/server-process.ts";
import {
  describesTarget,
  inspectByName,
  itemOf,
  recordProgress,
  targetFailure,
  writeAll,
} from "../../support/target-contract.ts";

const inRepository = { repository: "test-owner/test-name" };
const inEnvironment = { ...inRepository, environment: "production" };
const inOrganization = { organization: "test-org", visibility: "private" };
const ofTwo = { organization: "test-org", visibility: "selected", repositories: ["test-one", "test-two"] };
const ofRepository = "/repos/test-owner/test-name/actions";
const ofOrganization = "/orgs/test-org/actions";
const putOne = "PUT /repos/{owner}/{repo}/actions/secrets/{secret_name}";
const getKey = "GET /repos/{owner}/{repo}/actions/secrets/public-key";
const listAll = "GET /repos/{owner}/{repo}/actions/secrets";

describe.each([
  ["a repository", inRepository, ofRepository],
  ["an environment", inEnvironment, "/repos/test-owner/test-name/environments/production"],
  ["an organisation", inOrganization, ofOrganization],
  ["a repository, for Dependabot", { ...inRepository, for: "dependabot" }, "/repos/test-owner/test-name/dependabot"],
  ["an organisation, for Codespaces", { ...inOrganization, for: "codespaces" }, "/orgs/test-org/codespaces"],
])("the target github-actions in %s", (_, written, place) => {
  describesTarget(async () => {
    const fake = await startFakeGithubSecrets();
    onTestFinished(fake.stop);
    const away = `http://127.0.0.1:${await findFreePort()}`;
    return {
      facts: githubActionsTarget.facts(optionsOf(fake, written)),
      open: async () => await open(fake, written),
      putForeign: (name, value) => Promise.resolve(fake.put(place, name, value, { visibility: "all" })),
      peek: () => Promise.resolve(Object.fromEntries([...fake.at(place)].map(([name, { text }]) => [name, text]))),
      unreachable: async () => await open(fake, { ...written, api: away }),
    };
  });
});

describe("the target github-actions, when GitHub fails", () => {
  describesHttpTarget(async () => {
    const api = await startFakeGithubSecrets();
    return {
      api,
      open: async (token, timeoutMs) => await open(api, inRepository, token, timeoutMs),
      look: listAll,
      write: putOne,
    };
  });
});

let github: FakeGithubSecrets;

beforeEach(async () => {
  github = await startFakeGithubSecrets();
});
afterEach(async () => await github.stop());

describe("the target github-actions", () => {
  it("sends values that only GitHub's private key opens, byte by byte", async () => {
    const target = await open(github, inRepository);
    const texts = Object.entries(nastyValues).filter(([name]) => !["NUL", "NOT_UTF8", "MIB", "yes"].includes(name));
    const values = Object.fromEntries(texts.map(([name, bytes]) => [name, bytes.toString()]));
    const { doneNames } = await writeAll(target, { ...values, CANARY: "test-canary-value-7c1e" });
    expect(doneNames.length).toBe(texts.length + 1);
    for (const [name, text] of Object.entries(values)) expect(github.at(ofRepository).get(name)?.text).toBe(text);
    expect(github.logText()).not.toContain("test-canary-value");
  });

  it("fetches the key once, and again when GitHub has changed it", async () => {
    const target = await open(github, inRepository);
    await writeAll(target, { ALPHA: "test one", BETA: "test two" });
    expect(count(getKey)).toBe(1);
    github.changeKey();
    await writeAll(target, { ALPHA: "test three", BETA: "test four" });
    expect(count(getKey)).toBe(2);
    expect([...github.at(ofRepository).values()].map(({ text }) => text)).toEqual(["test three", "test four"]);
  });

  it("takes values up to the limit, and goes on after one that GitHub refuses", async () => {
    const target = await open(github, inRepository);
    const { maxValueBytes } = githubActionsTarget.facts(optionsOf(github, inRepository));
    const long = "x".repeat(maxValueBytes);
    const { doneNames, failures } = await writeAll(target, {
      ALPHA: long,
      BETA: `${long}x`,
      GITHUB_TOKEN: "test",
      GAMMA: "test",
    });
    expect(doneNames).toEqual(["ALPHA", "GAMMA"]);
    expect([...failures].map(([name, failure]) => [name, failure.class])).toEqual([
      ["BETA", "rejected"],
      ["GITHUB_TOKEN", "rejected"],
    ]);
  });

  it("reads all pages, and knows when each secret changed", async () => {
    for (let count = 0; count < 230; count++)
      github.put(ofOrganization, `NAME_${count}`, "test", { visibility: "all" });
    const target = await open(github, inOrganization);
    const found = await inspectByName(target, ["NAME_0", "NAME_229", "NAME_X"]);
    expect([...found.keys()].toSorted()).toEqual(["NAME_0", "NAME_229"]);
    const before = found.get("NAME_229")?.changedAtMs ?? 0;
    github.put(ofOrganization, "NAME_229", "test of somebody else", { visibility: "all" });
    expect((await inspectByName(target, ["NAME_229"])).get("NAME_229")?.changedAtMs).toBeGreaterThan(before);
  });

  it("sends nothing when there is no room, and makes room before it fills it", async () => {
    for (let count = 0; count < 99; count++) github.put(ofRepository, `NAME_${count}`, "test");
    const target = await open(github, inRepository);
    expect((await targetFailure(writeAll(target, { ALPHA: "test", BETA: "test" }))).class).toBe("limit");
    expect(count(putOne)).toBe(0);
    const old = (await inspectByName(target, ["NAME_0"])).get("NAME_0");
    if (old === undefined) throw new Error("it is not there");
    const writes = [itemOf("ALPHA", "test"), itemOf("BETA", "test")];
    const progress = recordProgress();
    await target.apply({ writes, removes: [old], wanted: writes }, progress);
    expect(progress.doneNames).toEqual(["NAME_0", "ALPHA", "BETA"]);
    expect(github.at(ofRepository).size).toBe(100);
  });

  it("ends half way, and does the rest at the next try", async () => {
    const target = await open(github, inRepository);
    const items = ["ALPHA", "BETA", "GAMMA"].map((name) => itemOf(name, `test ${name}`));
    const change = { writes: items, removes: [], wanted: items };
    const done: string[] = [];
    const breaks = {
      ...recordProgress(),
      done: (name: string) => github.failNext(putOne, (done.push(name), { status: 503 })),
    };
    expect((await targetFailure(target.apply(change, breaks))).class).toBe("transient");
    expect(done).toEqual(["ALPHA"]);
    expect([...github.at(ofRepository).keys()]).toEqual(["ALPHA"]);
    const progress = recordProgress();
    await target.apply(change, progress);
    expect(progress.doneNames).toEqual(["ALPHA", "BETA", "GAMMA"]);
  });

  it("seals nothing for a key that is none, and asks again", async () => {
    const target = await open(github, inRepository);
    github.failNext(getKey, { status: 200, json: { key_id: "1", key: "" } });
    expect((await targetFailure(writeAll(target, { ALPHA: "test" }))).class).toBe("unknown");
    expect(count(putOne)).toBe(0);
    expect((await writeAll(target, { ALPHA: "test" })).doneNames).toEqual(["ALPHA"]);
  });

  it("says how to go on where the environment is not there, and no more where the repository is not", async () => {
    github.state.environments.clear();
    const target = await open(github, inEnvironment);
    const failure = await targetFailure(target.inspect(["ALPHA"]));
    expect(failure).toMatchObject({
      class: "rejected",
      message: "the repository has no environment of the name in the policy",
    });
    expect(failure.hints[0]).toContain("settings, Environments");
    expect((await targetFailure(writeAll(target, { ALPHA: "test" }))).class).toBe("rejected");
    github.state.rights = "none";
    expect((await targetFailure(target.inspect(["ALPHA"]))).class).toBe("auth");
    github.state.rights = "metadata";
    const refused = await targetFailure(target.inspect(["ALPHA"]));
    expect(refused.class).toBe("auth");
    expect(refused.hints).toEqual([
      "docs/targets/github-actions.md has the rights that the credential of the target needs",
    ]);
  });

  it("waits as long as GitHub's limits say, and takes none for a lack of rights", async () => {
    const target = await open(github, inRepository);
    const fail = async (headers: Readonly<Record<string, string>>, text = "Forbidden") => {
      github.failNext(putOne, { status: 403, headers, json: { message: text } });
      return await targetFailure(writeAll(target, { ALPHA: "test" }));
    };
    expect(await fail({ "retry-after": "30" })).toMatchObject({ class: "transient", retryAfterMs: 30_000 });
    const reset = String(Math.floor(now.getTime() / 1000) + 90);
    const spent = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset };
    expect(await fail(spent)).toMatchObject({ class: "transient", retryAfterMs: 90_000 });
    const burst = "You have exceeded a secondary rate limit. Please wait a few minutes";
    expect(await fail({}, burst)).toMatchObject({ class: "transient", retryAfterMs: 60_000 });
    expect(await fail({ "x-ratelimit-remaining": "12" })).toMatchObject({ class: "auth" });
  });

  it("reaches an environment of any name", async () => {
    const environment = "staging/eu west?#%é";
    github.state.environments.add(environment);
    await writeAll(await open(github, { ...inRepository, environment }), { ALPHA: "test" });
    expect(github.at(`/repos/test-owner/test-name/environments/${environment}`).size).toBe(1);
  });
});

describe("the target github-actions in an organisation", () => {
  it("keeps who may use a secret that is there", async () => {
    const many = Array.from({ length: 150 }, (_, index) => index + 1);
    github.put(ofOrganization, "ALPHA", "test", { visibility: "selected", repositories: many });
    github.put(ofOrganization, "BETA", "test", { visibility: "all" });
    github.put(ofOrganization, "GAMMA", "test", { visibility: "selected", repositories: [] });
    await writeAll(await open(github, inOrganization), {
      ALPHA: "test new",
      BETA: "test new",
      GAMMA: "test new",
      DELTA: "test",
    });
    const held = github.at(ofOrganization);
    expect(held.get("ALPHA")).toMatchObject({ text: "test new", visibility: "selected", repositories: many });
    expect(held.get("BETA")).toMatchObject({ text: "test new", visibility: "all" });
    expect(held.get("GAMMA")).toMatchObject({ text: "test new", visibility: "selected", repositories: [] });
    expect(held.get("DELTA")).toMatchObject({ visibility: "private" });
  });

  it("gives a new secret to the repositories of the policy", async () => {
    await writeAll(await open(github, ofTwo), { ALPHA: "test", BETA: "test" });
    expect(github.at(ofOrganization).get("BETA")).toMatchObject({ visibility: "selected", repositories: [11, 12] });
    expect(count("GET /repos/{owner}/{repo}")).toBe(2);
    const strange = await open(github, { ...ofTwo, repositories: ["test-none"] });
    expect((await targetFailure(writeAll(strange, { GAMMA: "test" }))).class).toBe("auth");
  });
});

describe("the target github-actions with an App", () => {
  it("signs in for what the place needs, and ends its token", async () => {
    const app = { id: github.app.id, private_key: "${env:key}" };
    for (const [written, permissions] of [
      [inRepository, { secrets: "write" }],
      [inEnvironment, { environments: "write" }],
      [inOrganization, { organization_secrets: "write" }],
      [ofTwo, { organization_secrets: "write", metadata: "read" }],
      [{ ...inRepository, for: "dependabot" }, { dependabot_secrets: "write" }],
      [{ ...inRepository, for: "codespaces" }, undefined],
    ] as const) {
      const options = githubActionsTarget.options.parse({ ...written, app, api: github.url });
      const target = await githubActionsTarget.open(options, providerAccess({ key: github.app.pem }));
      await writeAll(target, { ALPHA: "test value" });
      expect(github.app.granted.at(-1)).toMatchObject({ permissions, isRevoked: false });
      await target.close();
      expect(github.app.granted.at(-1)).toMatchObject({ isRevoked: true });
    }
    expect(github.app.granted[0]?.repositories).toEqual(["test-name"]);
    expect(github.app.granted[2]?.repositories).toBeUndefined();
  });
});

const now = new Date("2026-03-04T05:06:07Z");

function optionsOf(fake: FakeGithubSecrets, written: object) {
  return githubActionsTarget.options.parse({ token: "${env:token}", api: fake.url, ...written });
}

async function open(fake: FakeGithubSecrets, written: object, token = "test-token", timeoutMs?: number) {
  return await githubActionsTarget.open(optionsOf(fake, written), {
    ...providerAccess({ token }, timeoutMs),
    now: () => now,
  });
}

function count(operation: string): number {
  return github.requests.filter((it) => it === operation).length;
}
