import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { act } from "../support/act.ts";
import { findCanaries } from "../support/canary.ts";
import { fakeAwsRegion } from "../support/fakes/aws-json.ts";
import { startFakeSsm, type FakeSsm } from "../support/fakes/aws-ssm.ts";
import { startFakeSts, type FakeSts } from "../support/fakes/aws-sts.ts";
import { startFakeIdentity, type FakeIdentity } from "../support/fakes/github-identity.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

let github: FakeIdentity;
let sts: FakeSts;
let ssm: FakeSsm;
beforeEach(async () => {
  github = await startFakeIdentity();
  [sts, ssm] = await Promise.all([startFakeSts(github), startFakeSsm()]);
});
afterEach(async () => {
  for (const fake of [github, sts, ssm]) await fake.stop();
});

async function createTeam(): Promise<TestRepository> {
  const repository = await createSealedRepository();
  await repository.ok(["set", "prod/api/API_KEY", "--stdin", "--yes"], { stdin: "test-value-one" });
  const credentials = { role: sts.role, web_identity: "${oidc:sts.amazonaws.com}", sts_endpoint: sts.url };
  const parameters = { kind: "aws-ssm", scopes: ["prod/api"], region: fakeAwsRegion, path: "/test/api" };
  const targets = { parameters: { ...parameters, endpoint: ssm.url, credentials } };
  repository.write("policies/deploy.yaml", JSON.stringify({ targets }));
  repository.git("add", "--all");
  repository.git("commit", "--quiet", "-m", "targets");
  return repository;
}

describe("a job of GitHub Actions with id-token: write", () => {
  it("deploys with the job's identity, and each token is hidden before it is used", async () => {
    const repository = await createTeam();
    const result = await act(repository, { command: "deploy" }, { env: github.variables });
    expect([result.code, ssm.parameters.get("/test/api/API_KEY")?.value]).toEqual([0, "test-value-one"]);
    expect(github.given.length).toBe(1);
    expect(result.masks).toEqual(expect.arrayContaining([...github.given]));
    const shown = result.log + result.summary + [...result.outputs.values(), ...result.state.values()].join("\n");
    expect(findCanaries(shown, [...github.given, github.bearer])).toEqual([]);
  });

  it.each(["export", "run"])("gives %s and what it starts nothing to ask with", async (command) => {
    const repository = await createTeam();
    const inputs = { command, scopes: "prod/api", ...(command === "run" ? { run: "env" } : {}) };
    const result = await act(repository, inputs, { env: github.variables });
    expect(result.code).toBe(0);
    expect(result.raw).not.toMatch(/ACTIONS_ID_TOKEN|test-request-bearer/);
    expect([...result.variables.keys()].filter((it) => it.startsWith("ACTIONS_"))).toEqual([]);
    expect(github.asked).toEqual([]);
  });
});

describe("a job of GitHub Actions without it", () => {
  it("is told the line that it lacks", async () => {
    const repository = await createTeam();
    const result = await act(repository, { command: "deploy", targets: "parameters" });
    expect(result.code).toBe(9);
    const [annotation] = result.annotations;
    expect(annotation?.message).toContain("this job has no permissions: id-token: write");
    expect(annotation?.message).toContain("permissions: { contents: read, id-token: write }");
  });
});
