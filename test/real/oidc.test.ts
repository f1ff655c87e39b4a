import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { findCanaries } from "../support/canary.ts";
import { startFakeIdentity, type FakeIdentity } from "../support/fakes/github-identity.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { startMoto, type TestMoto } from "../support/servers/moto.ts";
import { callIamAsRoot } from "../support/servers/moto-user.ts";
import { startOpenBao, type TestOpenBao } from "../support/servers/openbao.ts";

const audience = "https://bao.example.com";
const classic = "repo:acme/api:environment:production";
const immutable = "repo:acme@1001/api@2002:environment:production";

/** As docs/targets/aws-ssm.md lists them. */
const rights = [
  "ssm:AddTagsToResource",
  "ssm:DeleteParameter",
  "ssm:DescribeParameters",
  "ssm:GetParametersByPath",
  "ssm:ListTagsForResource",
  "ssm:PutParameter",
];

let github: FakeIdentity;
beforeEach(async () => {
  github = await startFakeIdentity();
  onTestFinished(async () => await github.stop());
});

async function createTeam(target: object): Promise<TestRepository> {
  const repository = await createSealedRepository();
  await repository.ok(["set", "prod/api/API_KEY", "--stdin", "--yes"], { stdin: "test-value-one" });
  const targets = { there: { scopes: ["prod/api"], required: true, ...target } };
  repository.write("policies/deploy.yaml", JSON.stringify({ targets }));
  repository.git("add", "--all");
  repository.git("commit", "--quiet", "-m", "targets");
  return repository;
}

async function deploy(repository: TestRepository) {
  return await repository.run(["deploy", "--yes"], { env: { GITHUB_ACTIONS: "true", ...github.variables } });
}

describe("a deploy with an identity token to a real OpenBao", () => {
  let bao: TestOpenBao;
  beforeAll(async () => {
    bao = await startOpenBao();
  });
  afterAll(async () => await bao.stop());

  /** As docs/ci-identities.md has it. */
  async function trustJobs(): Promise<void> {
    const policy = `path "secret/data/apps/api" { capabilities = ["create", "read", "update", "patch"] }
path "secret/metadata/apps/api" { capabilities = ["patch"] }`;
    await bao.admin("PUT", "sys/policies/acl/ci-deploy", { policy });
    await bao.admin("POST", "sys/auth/jwt", { type: "jwt" }, [400]);
    await bao.admin("POST", "auth/jwt/config", { jwks_url: github.jwksUrl, bound_issuer: github.issuer });
    await bao.admin("POST", "auth/jwt/role/deploy-api", {
      role_type: "jwt",
      user_claim: "sub",
      bound_audiences: [audience],
      bound_claims: { sub: [classic, immutable] },
      token_policies: ["ci-deploy"],
      token_ttl: "10m",
    });
  }
  const target = (oidc = audience) => ({
    kind: "vault",
    address: bao.url,
    ca: bao.ca,
    path: "apps/api",
    auth: { method: "jwt", role: "deploy-api", jwt: `\${oidc:${oidc}}` },
  });

  it.each([classic, immutable])("lets the job in by the keys that its issuer shows: %s", async (sub) => {
    await trustJobs();
    github.claims = { sub };
    const repository = await createTeam(target());
    const result = await deploy(repository);
    expect([result.code, result.stderr]).toEqual([0, expect.stringContaining("there: in order")]);
    const { data } = (await bao.admin("GET", "secret/data/apps/api"))["data"] as { data: unknown };
    expect(data).toEqual({ API_KEY: "test-value-one" });
    expect(findCanaries(result.stdout + result.stderr + bao.logText(), github.given)).toEqual([]);
  });

  it.each([
    ["of another environment", { sub: "repo:acme/api:environment:staging" }, audience],
    ["of a repository that took over the name", { sub: "repo:acme@7/api@8:environment:production" }, audience],
    ["for another service", { sub: classic }, "sts.amazonaws.com"],
  ])("does not let in a job %s", async (_, claims, oidc) => {
    await trustJobs();
    github.claims = claims;
    const result = await deploy(await createTeam(target(oidc)));
    expect([result.code, result.stdout + result.stderr]).toEqual([
      9,
      expect.stringContaining("Vault refused the login by jwt with status 400"),
    ]);
  });
});

describe("a deploy with an identity token to moto", () => {
  let moto: TestMoto;
  beforeAll(async () => {
    moto = await startMoto();
  });
  afterAll(async () => await moto.stop());

  it("takes on the role, does what the role may with its session, and no more", async () => {
    await moto.checkAccess(false);
    const name = "test-ci-deploy";
    const trust = { Version: "2012-10-17", Statement: [] };
    const role = await callIamAsRoot(moto, "CreateRole", {
      RoleName: name,
      AssumeRolePolicyDocument: JSON.stringify(trust),
    });
    const grant = async (actions: readonly string[]) => {
      const document = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }] };
      const policy = { PolicyName: "test", PolicyDocument: JSON.stringify(document) };
      await moto.checkAccess(false);
      await callIamAsRoot(moto, "PutRolePolicy", { RoleName: name, ...policy });
      // Moto fails when it checks a request without a signature, which the first is.
      await fetch(`${moto.url}/moto-api/reset-auth`, { method: "POST", body: "1" });
    };
    const [arn = ""] = role.texts("Arn");
    const repository = await createTeam({
      kind: "aws-ssm",
      region: "eu-central-1",
      path: "/test/api",
      endpoint: moto.url,
      account: "123456789012",
      sts_endpoint: moto.url,
      credentials: { role: arn, web_identity: "${oidc:sts.amazonaws.com}", sts_endpoint: moto.url },
    });
    await grant(["ssm:DescribeParameters", "ssm:GetParametersByPath"]);
    const refused = await deploy(repository);
    expect([refused.code, refused.stdout + refused.stderr]).toEqual([
      9,
      expect.stringContaining("auth: Amazon refused PutParameter"),
    ]);
    await grant(rights);
    const done = await deploy(repository);
    expect([done.code, done.stderr]).toEqual([0, expect.stringContaining("there: in order, 1 written")]);
    await grant(rights);
    const again = await deploy(repository);
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining("nothing was changed")]);
    expect(findCanaries(done.stdout + done.stderr + moto.logText(), github.given)).toEqual([]);
  });
});
