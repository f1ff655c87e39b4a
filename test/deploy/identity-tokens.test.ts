import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findCanaries, findCanaryFiles } from "../support/canary.ts";
import { fakeAwsRegion } from "../support/fakes/aws-json.ts";
import { startFakeAwsSecrets, type FakeAwsSecrets } from "../support/fakes/aws-secrets-manager.ts";
import { startFakeSsm, type FakeSsm } from "../support/fakes/aws-ssm.ts";
import { startFakeSts, type FakeSts } from "../support/fakes/aws-sts.ts";
import { startFakeAzure, type FakeAzure } from "../support/fakes/azure.ts";
import { startFakeIdentity, type FakeIdentity } from "../support/fakes/github-identity.ts";
import { startFakeGoogleFederation, type FakeGoogleFederation } from "../support/fakes/google-federation.ts";
import { startFakeKeyVault, type FakeKeyVault } from "../support/fakes/key-vault.ts";
import { startFakeSecretManager, type FakeSecretManager } from "../support/fakes/secret-manager.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

const audiences = { azure: "api://AzureADTokenExchange", aws: "sts.amazonaws.com" };

let github: FakeIdentity;
let sts: FakeSts;
let ssm: FakeSsm;
let secrets: FakeAwsSecrets;
let azure: FakeAzure;
let vault: FakeKeyVault;
let google: FakeGoogleFederation;
let manager: FakeSecretManager;
let env: Readonly<Record<string, string>>;

beforeEach(async () => {
  github = await startFakeIdentity();
  [sts, ssm, secrets, azure, vault, google, manager] = await Promise.all([
    startFakeSts(github),
    startFakeSsm(),
    startFakeAwsSecrets(),
    startFakeAzure((text) => github.check(text, audiences.azure)["environment"] === "production"),
    startFakeKeyVault(),
    startFakeGoogleFederation(github),
    startFakeSecretManager(),
  ]);
  env = { GITHUB_ACTIONS: "true", ...github.variables };
});
afterEach(async () => {
  for (const fake of [github, sts, ssm, secrets, azure, vault, google, manager]) await fake.stop();
});

describe("a deploy from a job that may ask for identity tokens", () => {
  it("signs in at all clouds with no key at all, and shows no token", async () => {
    const repository = await createRepositoryWithTargets();
    const first = await repository.ok(["deploy", "--yes"], { env });
    expect(ssm.parameters.get("/test/api/API_KEY")?.value).toBe("test-value-one");
    expect(secrets.current("test/api/API_KEY")).toEqual({ SecretString: "test-value-one" });
    expect(vault.secrets.get("api-key")?.versions.at(-1)?.value).toBe("test-value-one");
    expect(manager.secrets.get("API_KEY")?.versions.length).toBe(1);
    // One an audience, however many targets show it.
    expect(github.asked.toSorted()).toEqual([audiences.azure, google.audience, audiences.aws]);
    expect(sts.sessions).toEqual(["sealtree", "sealtree"]);

    const drift = await repository.ok(["drift"], { env });
    expect(github.asked.length).toBe(6);
    const tokens = [...github.given, github.bearer];
    expect(findCanaries([first, drift].map((it) => it.stdout + it.stderr).join(""), tokens)).toEqual([]);
    expect(findCanaryFiles([repository.root, repository.home], tokens)).toEqual([]);
  });

  it("says which line the job lacks, and goes on with targets that need no token", async () => {
    const repository = await createRepositoryWithTargets();
    const { code, stderr, stdout } = await repository.run(["deploy", "--yes"], { env: { GITHUB_ACTIONS: "true" } });
    expect(code).toBe(0);
    expect(stdout + stderr).toContain("this job has no permissions: id-token: write, to ask for an identity token");
    expect(stdout + stderr).toContain("permissions: { contents: read, id-token: write }");
    expect(repository.read(".env.local")).toContain("API_KEY=test-value-one");
    const elsewhere = await repository.run(["deploy", "parameters", "--yes"]);
    expect([elsewhere.code, elsewhere.stdout + elsewhere.stderr]).toEqual([
      9,
      expect.stringContaining("an identity token is had in a job of GitHub Actions only"),
    ]);
  });

  it("hands what asks for tokens to no program, also when a policy names the variables", async () => {
    const names = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
    const repository = await createRepositoryWithTargets();
    const seen = await repository.ok(["run", "prod/api", "--no-mask", "--", "env"], { env });
    expect(seen.stdout).toContain("API_KEY=test-value-one");
    expect(seen.stdout).not.toMatch(/ACTIONS_ID_TOKEN/);
    const program = { kind: "exec", scopes: ["prod/api"], command: ["env"], environment: names, place: "test" };
    repository.write("policies/deploy.yaml", JSON.stringify({ targets: { program } }));
    repository.git("add", "--all");
    repository.git("commit", "--quiet", "-m", "program");
    const result = await repository.run(["deploy", "program", "--yes"], { env });
    expect([result.code, result.stdout + result.stderr]).toEqual([
      9,
      expect.stringContaining("the environment has no ACTIONS_ID_TOKEN_REQUEST_URL"),
    ]);
  });
});

async function createRepositoryWithTargets(): Promise<TestRepository> {
  const repository = await createSealedRepository();
  await repository.ok(["set", "prod/api/API_KEY", "--stdin", "--yes"], { stdin: "test-value-one" });
  const scopes = ["prod/api"];
  const role = { role: sts.role, web_identity: `\${oidc:${audiences.aws}}`, sts_endpoint: sts.url };
  const aws = { scopes, region: fakeAwsRegion, credentials: role };
  const application = { tenant: "test.example", client: azure.admin, assertion: `\${oidc:${audiences.azure}}` };
  const workload = {
    workload_identity_provider: google.provider,
    token: `\${oidc:${google.audience}}`,
    service_account: google.email,
    sts: google.sts.url,
    iam_credentials: google.credentials.url,
  };
  const targets = {
    parameters: { kind: "aws-ssm", ...aws, endpoint: ssm.url, path: "/test/api" },
    secrets: { kind: "aws-secrets-manager", ...aws, endpoint: secrets.url, path: "test/api" },
    azure: { kind: "azure-key-vault", scopes, vault: vault.url, login: azure.login.url, credentials: application },
    google: {
      kind: "gcp-secret-manager",
      scopes,
      project: "test-project",
      endpoint: manager.url,
      credentials: workload,
    },
    local: { kind: "dotenv", file: ".env.local", scopes, required: true },
  };
  repository.write(".gitignore", ".env*\n");
  repository.write("policies/deploy.yaml", JSON.stringify({ targets }));
  repository.git("add", "--all");
  repository.git("commit", "--quiet", "-m", "targets");
  return repository;
}
