import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findCanaries } from "../support/canary.ts";
import { startFakeAzure, type FakeAzure } from "../support/fakes/azure.ts";
import { fakeAwsKeys, fakeAwsRegion } from "../support/fakes/aws-json.ts";
import { startFakeAwsSecrets, type FakeAwsSecrets } from "../support/fakes/aws-secrets-manager.ts";
import { startFakeSsm, type FakeSsm } from "../support/fakes/aws-ssm.ts";
import { startFakeKeyVault, type FakeKeyVault } from "../support/fakes/key-vault.ts";
import { startFakeSecretManager, type FakeSecretManager } from "../support/fakes/secret-manager.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

const canary = "cloud-canary-6q2w-text";
const env = {
  TEST_AWS_ID: fakeAwsKeys.id,
  TEST_AWS_SECRET: fakeAwsKeys.secret,
  TEST_AZURE_SECRET: "test-admin-secret",
  TEST_GCP_TOKEN: "test-gcp-token",
};

let amazon: FakeAwsSecrets;
let ssm: FakeSsm;
let vault: FakeKeyVault;
let azure: FakeAzure;
let google: FakeSecretManager;

beforeEach(async () => {
  [amazon, ssm, vault, azure, google] = await Promise.all([
    startFakeAwsSecrets(),
    startFakeSsm(),
    startFakeKeyVault(),
    startFakeAzure(),
    startFakeSecretManager(),
  ]);
});
afterEach(async () => {
  for (const fake of [amazon, ssm, vault, azure, google]) await fake.stop();
});

describe("sealtree deploy to the clouds", () => {
  it("brings all in order, then sends nothing, then what is new, and shows no value", async () => {
    const repository = await createRepositoryWithTargets();
    const first = await repository.ok(["deploy", "--yes"], { env });
    expect(amazon.current("test/api/API_KEY")).toEqual({ SecretString: canary });
    expect(JSON.parse(amazon.current("test/all")?.SecretString ?? "")).toMatchObject({ API_KEY: canary });
    expect(ssm.parameters.get("/test/api/API_KEY")?.value).toBe(canary);
    expect(vault.secrets.get("api-key")?.versions.at(-1)?.value).toBe(canary);
    expect(google.secrets.get("API_KEY")?.versions.at(-1)?.data).toBe(Buffer.from(canary).toString("base64"));

    const before = writes();
    const second = await repository.ok(["deploy", "--yes"], { env });
    expect(second.stdout).toBe("");
    expect(writes()).toEqual(before);

    await repository.ok(["set", "prod/api/API_KEY", "--stdin", "--yes"], { stdin: `${canary}-new` });
    repository.git("add", "--all");
    repository.git("commit", "--quiet", "--allow-empty", "-m", "new value");
    const third = await repository.ok(["deploy", "--yes"], { env });
    expect(amazon.current("test/api/API_KEY")).toEqual({ SecretString: `${canary}-new` });
    expect(vault.secrets.get("api-key")?.versions.length).toBe(2);
    expect(google.secrets.get("API_KEY")?.versions.length).toBe(2);
    expect(google.secrets.get("DB_URL")?.versions.length).toBe(1);
    const shown = [first, second, third].map(({ stdout, stderr }) => stdout + stderr).join("\n");
    expect(findCanaries(shown, [canary, ...Object.values(env).slice(1)])).toEqual([]);
  });

  it("stops before what is somebody else's, and goes on with the other clouds", async () => {
    const repository = await createRepositoryWithTargets();
    google.put("API_KEY", "test-of-somebody-else");
    vault.deleted.add("db-url");
    const { code, stdout } = await repository.run(["deploy", "--yes"], { env });
    expect(code).toBe(7);
    expect(stdout).toMatch(/google +conflict +API_KEY/);
    expect(stdout).toMatch(/azure +blocked +DB-URL/);
    expect(google.secrets.get("API_KEY")?.versions.length).toBe(1);
    expect(ssm.parameters.get("/test/api/DB_URL")?.value).toBe("test-db-url");
  });
});

function writes(): number[] {
  const verbs = /^(?:PUT|POST|PATCH|DELETE) |^(?:Create|Put|Update|Tag|Add|Delete)/;
  return [amazon, ssm, vault, google].map(({ requests }) => requests.filter((it) => verbs.test(it)).length);
}

async function createRepositoryWithTargets(): Promise<TestRepository> {
  const repository = await createSealedRepository();
  const values = JSON.stringify({ API_KEY: canary, DB_URL: "test-db-url" });
  await repository.ok(["import", "prod/api", "--format", "json", "--yes"], { stdin: values });
  const keys = { id: "${env:TEST_AWS_ID}", secret: "${env:TEST_AWS_SECRET}" };
  const application = { tenant: "test.example", client: azure.admin, secret: "${env:TEST_AZURE_SECRET}" };
  const scopes = ["prod/api"];
  const aws = { scopes, region: fakeAwsRegion, credentials: keys };
  const targets = {
    secrets: { kind: "aws-secrets-manager", ...aws, endpoint: amazon.url, path: "test/api" },
    object: { kind: "aws-secrets-manager", ...aws, endpoint: amazon.url, path: "test/all", layout: "one" },
    parameters: { kind: "aws-ssm", ...aws, endpoint: ssm.url, path: "/test/api" },
    azure: { kind: "azure-key-vault", scopes, vault: vault.url, login: azure.login.url, credentials: application },
    google: {
      kind: "gcp-secret-manager",
      scopes,
      project: "test-project",
      endpoint: google.url,
      credentials: { access_token: "${env:TEST_GCP_TOKEN}" },
    },
  };
  // JSON is YAML.
  repository.write("policies/deploy.yaml", JSON.stringify({ targets }));
  repository.git("add", "--all");
  repository.git("commit", "--quiet", "-m", "targets");
  return repository;
}
