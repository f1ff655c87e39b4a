import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { loadDeployPolicy } from "../../src/deploy/policy.ts";
import { openWorkTree } from "../../src/store/work-tree.ts";
import { startFakeAwsSecrets } from "../support/fakes/aws-secrets-manager.ts";
import { fakeAwsKeys, fakeAwsRegion } from "../support/fakes/aws-json.ts";
import { startFakeSsm } from "../support/fakes/aws-ssm.ts";
import { startFakeAzure } from "../support/fakes/azure.ts";
import { startFakeKeyVault } from "../support/fakes/key-vault.ts";
import { startFakeSecretManager } from "../support/fakes/secret-manager.ts";
import type { TestRepository } from "../support/repository.ts";
import { createTeam, failureOf, openLibrary } from "./open-team.ts";

/** A place where values were deployed to. */
interface Subject {
  /** The fields of its kind. */
  readonly target: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Values by name, as deploy puts them there. */
  readonly put: (values: Readonly<Record<string, string>>) => void;
  /** What reading calls there and deploying would call besides; undefined where that is not counted. */
  readonly requests?: readonly string[];
}

async function startAws(layout: "each" | "one"): Promise<Subject> {
  const amazon = await startFakeAwsSecrets();
  onTestFinished(async () => await amazon.stop());
  for (const action of ["DescribeSecret", "ListSecrets", "PutSecretValue"]) amazon.denied.add(action);
  const credentials = { id: "${env:AWS_ID}", secret: "${env:AWS_SECRET}" };
  return {
    target: {
      kind: "aws-secrets-manager",
      region: fakeAwsRegion,
      endpoint: amazon.url,
      path: "apps/api",
      layout,
      credentials,
    },
    env: { AWS_ID: fakeAwsKeys.id, AWS_SECRET: fakeAwsKeys.secret },
    put(values) {
      if (layout === "one") amazon.put("apps/api", JSON.stringify({ ...values, foreign: 7 }));
      else for (const [name, text] of Object.entries(values)) amazon.put(`apps/api/${name}`, text);
    },
    requests: amazon.requests,
  };
}

async function startAzure(): Promise<Subject> {
  const [vault, azure] = [await startFakeKeyVault(), await startFakeAzure()];
  onTestFinished(async () => {
    await azure.stop();
    await vault.stop();
  });
  const credentials = { tenant: "test.example", client: azure.admin, secret: "${env:AZURE_TEST}" };
  return {
    target: { kind: "azure-key-vault", vault: vault.url, login: azure.login.url, credentials },
    env: { AZURE_TEST: "test-admin-secret" },
    put(values) {
      for (const [name, text] of Object.entries(values)) vault.put(name.replaceAll(/[_.]/g, "-"), text);
    },
    requests: vault.requests,
  };
}

async function startGoogle(): Promise<Subject> {
  const google = await startFakeSecretManager();
  onTestFinished(async () => await google.stop());
  return {
    target: {
      kind: "gcp-secret-manager",
      project: "test-project",
      endpoint: google.url,
      credentials: { access_token: "${env:TOKEN}" },
    },
    env: { TOKEN: "test-gcp-token" },
    put(values) {
      for (const [name, text] of Object.entries(values)) google.put(name.replaceAll(".", "_"), text);
    },
    requests: google.requests,
  };
}

/** It has no reader of its own, and is read as `drift` looks at it. */
async function startSsm(): Promise<Subject> {
  const amazon = await startFakeSsm();
  onTestFinished(async () => await amazon.stop());
  const credentials = { id: "${env:AWS_ID}", secret: "${env:AWS_SECRET}" };
  return {
    target: { kind: "aws-ssm", region: fakeAwsRegion, endpoint: amazon.url, path: "/apps/api", credentials },
    env: { AWS_ID: fakeAwsKeys.id, AWS_SECRET: fakeAwsKeys.secret },
    put(values) {
      for (const [name, text] of Object.entries(values)) amazon.put(`/apps/api/${name}`, text);
    },
    requests: amazon.requests,
  };
}

const subjects: readonly (readonly [string, () => Promise<Subject>])[] = [
  ["aws-secrets-manager, a secret for each value", async () => await startAws("each")],
  ["aws-secrets-manager, one object", async () => await startAws("one")],
  ["aws-ssm", startSsm],
  ["azure-key-vault", startAzure],
  ["gcp-secret-manager", startGoogle],
];

/** One for all tests here: each writes its own policy and opens it anew. */
let repository: TestRepository;

beforeAll(async () => {
  const addresses = ["prod/api/KEY", "prod/api/LOCAL", "other/api/KEY", "dev/api/mcp.key"];
  const values = Object.fromEntries(addresses.map((address) => [address, "sealed"]));
  repository = await createTeam({ ...values, "ops/reader/TOKEN": "test-gcp-token" });
});

/** The library in an environment that reads from the target. */
async function openProduction(target: object, env: Readonly<Record<string, string>> = {}) {
  const policy = {
    targets: { cloud: { scopes: ["prod/api"], ...target } },
    environments: { production: { sources: ["cloud"], cache: "300s" } },
  };
  repository.write("policies/deploy.yaml", stringify(policy));
  return (await openLibrary(repository, { environment: "production", env })).runtime;
}

describe.each(subjects)("the source %s", (_name, start) => {
  it("reads values under the names that deploy gives them, with the rights of a reader", async () => {
    const { target, env = {}, put } = await start();
    put({ KEY: "deployed", app_OTHER: "renamed", NEW_NAME: "by its own name" });
    const naming = { names: { OTHER: "app_OTHER", RENAMED: "NEW_NAME" } };
    const runtime = await openProduction({ ...target, ...naming }, env);
    const read = async (name: string) => (await runtime.getSecret(`prod/api/${name}`)).revealText();
    const names = target["kind"] === "azure-key-vault" ? ["KEY"] : ["KEY", "OTHER", "RENAMED"];
    const texts = ["deployed", "renamed", "by its own name"].slice(0, names.length);
    expect(await Promise.all(names.map(read))).toEqual(texts);
    expect((await runtime.getSecret("prod/api/KEY")).source).toBe("cloud");
    expect(runtime.health().status).toBe("ok");
  });

  it("has nothing of other scopes and of names that are not there, and asks nobody for the first", async () => {
    const { target, env = {}, put, requests = [] } = await start();
    put({ KEY: "deployed" });
    const runtime = await openProduction(target, env);
    expect((await failureOf(runtime.getSecret("other/api/KEY"))).code).toBe("E_SECRET_NOT_FOUND");
    expect(requests).toEqual([]);
    expect((await failureOf(runtime.getSecret("prod/api/NONE"))).code).toBe("E_SECRET_NOT_FOUND");
  });

  it("says that it is not let in, without the credential", async () => {
    const { target, env = {} } = await start();
    const wrong = Object.fromEntries(Object.keys(env).map((name) => [name, "canary-wrong-credential"]));
    const runtime = await openProduction(target, wrong);
    const failure = await failureOf(runtime.getSecret("prod/api/KEY"));
    expect(failure).toMatchObject({ code: "E_PROVIDER", message: expect.stringContaining("cloud (auth)") });
    expect(JSON.stringify([failure.message, failure.hints, runtime.health()])).not.toContain("canary");
    expect(runtime.health().status).toBe("failing");
  });
});

describe("a source that is a target", () => {
  it("takes credentials from the sealed values, and says which variable is missing", async () => {
    const { target, put } = await startGoogle();
    put({ KEY: "deployed" });
    const credentials = { access_token: "${secret:ops/reader/TOKEN}" };
    const runtime = await openProduction({ ...target, credentials });
    expect((await runtime.getSecret("prod/api/KEY")).revealText()).toBe("deployed");
    const bare = await openProduction(target);
    const failure = await failureOf(bare.getSecret("prod/api/KEY"));
    expect(failure.message).toBe("the variable TOKEN is not set, which a source signs in with");
  });

  it("leaves out of a scope what the target does not take", async () => {
    const { target, env = {}, put } = await startGoogle();
    put({ KEY: "deployed" });
    const runtime = await openProduction({ ...target, only: ["KEY"] }, env);
    expect([...(await runtime.getSecrets("prod/api")).keys()]).toEqual(["KEY"]);
  });

  it("is read from its file by the kind dotenv, whoever wrote it, and as an entry of its own", async () => {
    repository.write(".env.dev", "MCP_KEY='of the file'\n");
    const policy = { environments: { development: { sources: [{ kind: "dotenv", file: ".env.dev" }, "repo"] } } };
    repository.write("policies/deploy.yaml", stringify(policy));
    const { runtime } = await openLibrary(repository, { environment: "development" });
    const secret = await runtime.getSecret("dev/api/mcp.key");
    expect([secret.source, secret.revealText()]).toEqual(["dotenv", "of the file"]);
  });

  it("is refused when values cannot be read back from it, and when there is no such kind", async () => {
    const github = { kind: "github-actions", repository: "acme/api", credentials: { token: "${env:TOKEN}" } };
    const blind = await openProduction(github, { TOKEN: "test" });
    expect((await failureOf(blind.getSecret("prod/api/KEY"))).code).toBe("E_POLICY_INVALID");
    const none = await openProduction({ kind: "no-such-kind" });
    expect((await failureOf(none.getSecret("prod/api/KEY"))).code).toBe("E_POLICY_INVALID");
  });
});

describe("the policy in docs/library.md", () => {
  it("is one that can be used", async () => {
    const page = readFileSync(fileURLToPath(new URL("../../docs/library.md", import.meta.url)), "utf8");
    const [, policy = ""] = /```yaml\n(targets:[\s\S]*?)```/.exec(page) ?? [];
    repository.write("policies/deploy.yaml", policy);
    const { environments } = await loadDeployPolicy(openWorkTree(repository.root));
    expect([...environments.keys()]).toEqual(["production", "test", "development"]);
    for (const environment of environments.keys()) await openLibrary(repository, { environment });
  });
});
