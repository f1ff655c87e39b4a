import { describe, expect, it, onTestFinished } from "vitest";
import { findCanaries } from "../support/canary.ts";
import type { ApiFault, DescribedApi } from "../support/fakes/described-api.ts";
import { startFakeCloudflareWorkers } from "../support/fakes/cloudflare-workers.ts";
import { startFakeFly } from "../support/fakes/fly.ts";
import { startFakeGithubSecrets } from "../support/fakes/github-secrets.ts";
import { startFakeGitlab } from "../support/fakes/gitlab.ts";
import { startFakeHeroku } from "../support/fakes/heroku.ts";
import { startFakeNetlify } from "../support/fakes/netlify.ts";
import { startFakeVercel } from "../support/fakes/vercel.ts";
import { createSealedRepository } from "../support/repository.ts";

const canary = "platform-canary-6r2w";

/** A service with what an administrator sees and does there. */
interface Platform {
  readonly api: DescribedApi;
  /** The target's entry, without the token. */
  readonly entry: string;
  readonly values: () => Readonly<Record<string, string>>;
  readonly put: (name: string, value: string) => void;
  readonly remove: (name: string) => void;
  /** The operations that change something. */
  readonly writes: RegExp;
  /** One of them, and how it fails. */
  readonly breaks: readonly [operation: string, fault: ApiFault];
}

const platforms: Readonly<Record<string, () => Promise<Platform>>> = {
  "github-actions": async () => {
    const api = await startFakeGithubSecrets();
    const held = api.at("/repos/test-owner/test-name/actions");
    return {
      api,
      entry: `repository: test-owner/test-name, api: "${api.url}"`,
      values: () => Object.fromEntries([...held].map(([name, { text }]) => [name, text])),
      put: (name, value) => api.put("/repos/test-owner/test-name/actions", name, value),
      remove: (name) => void held.delete(name),
      writes: /^(?:PUT|DELETE) /,
      breaks: ["PUT /repos/{owner}/{repo}/actions/secrets/{secret_name}", "lost answer"],
    };
  },
  gitlab: async () => {
    const api = await startFakeGitlab();
    return {
      api,
      entry: `project: test-group/test-name, api: "${api.url}"`,
      values: () => Object.fromEntries(api.variables.map(({ key, value }) => [key, value])),
      put: (name, value) => {
        const found = api.variables.find(({ key }) => key === name);
        if (found === undefined) api.put(name, value);
        else found.value = value;
      },
      remove: (name) =>
        void api.variables.splice(
          api.variables.findIndex(({ key }) => key === name),
          1,
        ),
      writes: /^(?:PUT|POST|DELETE) /,
      breaks: ["PUT /projects/{id}/variables/{key}", "lost answer"],
    };
  },
  cloudflare: async () => {
    const api = await startFakeCloudflareWorkers();
    return {
      api,
      entry: `account: ${api.account}, script: test-worker, api: "${api.url}"`,
      values: () => Object.fromEntries(api.secrets),
      put: (name, value) => void api.secrets.set(name, value),
      remove: (name) => void api.secrets.delete(name),
      writes: /^PATCH /,
      breaks: ["PATCH /accounts/{account_id}/workers/scripts/{script_name}/secrets-bulk", "lost answer"],
    };
  },
  vercel: async () => {
    const api = await startFakeVercel();
    return {
      api,
      entry: `project: test-project, team: team_test, targets: [production], api: "${api.url}"`,
      values: () => Object.fromEntries(api.variables.map(({ key, value }) => [key, value])),
      put: (key, value) => {
        const index = api.variables.findIndex((it) => it.key === key);
        if (index !== -1) api.variables.splice(index, 1);
        api.put({ key, value });
      },
      remove: (name) =>
        void api.variables.splice(
          api.variables.findIndex(({ key }) => key === name),
          1,
        ),
      writes: /^(?:POST|DELETE) /,
      breaks: ["POST /v10/projects/{idOrName}/env", { status: 500 }],
    };
  },
  netlify: async () => {
    const api = await startFakeNetlify();
    const remove = (name: string) => {
      const index = api.variables.findIndex(({ key }) => key === name);
      if (index !== -1) api.variables.splice(index, 1);
    };
    return {
      api,
      entry: `account: test-team, site: ${api.site}, contexts: [production], api: "${api.url}"`,
      values: () => Object.fromEntries(api.variables.map((it) => [it.key, it.values[0]?.value ?? ""])),
      put: (name, value) => {
        remove(name);
        api.put(name, { production: value });
      },
      remove,
      writes: /^(?:POST|PATCH|DELETE) /,
      breaks: ["PATCH /accounts/{account_id}/env/{key}", { status: 503 }],
    };
  },
  fly: async () => {
    const api = await startFakeFly();
    return {
      api,
      entry: `app: test-app, api: "${api.url}"`,
      values: () => Object.fromEntries([...api.secrets].map(([name, { value }]) => [name, value])),
      put: (name, value) => api.put(name, value),
      remove: (name) => void api.secrets.delete(name),
      writes: /^POST /,
      breaks: ["POST /apps/{app_name}/secrets", "lost answer"],
    };
  },
  heroku: async () => {
    const api = await startFakeHeroku();
    return {
      api,
      entry: `app: test-app, api: "${api.url}"`,
      values: () => Object.fromEntries(api.vars),
      put: (name, value) => void api.vars.set(name, value),
      remove: (name) => void api.vars.delete(name),
      writes: /^PATCH /,
      breaks: ["PATCH /apps/{app}/config-vars", "lost answer"],
    };
  },
};

/** Cloudflare tells no times, so nobody can know of a change there. */
const blind = new Set(["cloudflare"]);

describe("sealtree deploy to seven platforms", () => {
  it("creates, does nothing twice, and mends what is gone or changed, without a value in any output", async () => {
    const { all, repository, run, writesOf } = await begin();
    await run(["deploy", "--yes"], 0);
    expect(valuesOf(all)).toEqual(each({ API_KEY: `${canary}-one`, DB_URL: `${canary}-two` }));
    expect(await writesOf(async () => await run(["deploy", "--yes"], 0))).toEqual(each(0));
    for (const { remove } of Object.values(all)) remove("DB_URL");
    await run(["drift"], 1);
    for (const [kind, { put }] of Object.entries(all)) if (!blind.has(kind)) put("API_KEY", `${canary}-theirs`);
    await run(["deploy", "--yes"], 0);
    expect(valuesOf(all)).toEqual(each({ API_KEY: `${canary}-one`, DB_URL: `${canary}-two` }));
    await repository.ok(["set", "prod/api/API_KEY", "--stdin"], { stdin: `${canary}-new` });
    await run(["deploy", "--yes"], 0);
    expect(valuesOf(all)).toEqual(each({ API_KEY: `${canary}-new`, DB_URL: `${canary}-two` }));
  });

  it("leaves what is somebody else's, tries again after a failure, and is refused with a wrong token", async () => {
    const { all, run, writesOf } = await begin();
    for (const { put } of Object.values(all)) {
      put("API_KEY", `${canary}-theirs`);
      put("OTHER", `${canary}-other`);
    }
    await run(["deploy", "--yes"], 7);
    expect(Object.values(valuesOf(all)).map((it) => it["API_KEY"])).toEqual(kinds.map(() => `${canary}-theirs`));
    expect(await writesOf(async () => await run(["deploy", "--yes", "--adopt"], 9, "test-wrong"))).toEqual(each(0));
    for (const { api, breaks } of Object.values(all)) api.failNext(...breaks);
    await run(["deploy", "--yes", "--adopt"], 0);
    const values = { API_KEY: `${canary}-one`, DB_URL: `${canary}-two`, OTHER: `${canary}-other` };
    expect(valuesOf(all)).toEqual(each(values));
  });
});

const kinds = Object.keys(platforms);

function each<T>(value: T): Readonly<Record<string, T>> {
  return Object.fromEntries(kinds.map((kind) => [kind, value]));
}

function valuesOf(all: Readonly<Record<string, Platform>>) {
  return Object.fromEntries(Object.entries(all).map(([kind, { values }]) => [kind, values()]));
}

/** All platforms, empty, and a repository with a target at each. */
async function begin() {
  const all: Record<string, Platform> = {};
  const repository = await createSealedRepository();
  let policy = "targets:\n";
  for (const [kind, make] of Object.entries(platforms)) {
    const platform = await make();
    onTestFinished(platform.api.stop);
    all[kind] = platform;
    policy += `  ${kind}: {kind: ${kind}, scopes: [prod/api], required: true, token: "\${env:TEST_TOKEN}", ${platform.entry}}\n`;
  }
  await repository.ok(["set", "prod/api/API_KEY", "--stdin"], { stdin: `${canary}-one` });
  await repository.ok(["set", "prod/api/DB_URL", "--stdin"], { stdin: `${canary}-two` });
  repository.write("policies/deploy.yaml", policy);
  repository.git("add", "policies/deploy.yaml");
  repository.git("commit", "--quiet", "-m", "targets");
  const run = async (args: readonly string[], code: number, token = "test-token") => {
    const result = await repository.run([...args], { env: { TEST_TOKEN: token } });
    expect([result.code, result.code === code ? "" : result.stderr]).toEqual([code, ""]);
    expect(findCanaries(result.stdout + result.stderr, [canary, token])).toEqual([]);
  };
  const countWrites = () =>
    Object.fromEntries(
      Object.entries(all).map(([kind, { api, writes }]) => [kind, api.requests.filter((it) => writes.test(it)).length]),
    );
  const writesOf = async (work: () => Promise<void>) => {
    const before = countWrites();
    await work();
    return Object.fromEntries(
      Object.entries(countWrites()).map(([kind, after]) => [kind, after - (before[kind] ?? 0)]),
    );
  };
  return { all, repository, run, writesOf };
}
