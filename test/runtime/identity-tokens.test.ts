import { stringify } from "yaml";
import { expect, it, onTestFinished } from "vitest";
import { fakeAwsRegion } from "../support/fakes/aws-json.ts";
import { startFakeAwsSecrets } from "../support/fakes/aws-secrets-manager.ts";
import { startFakeSts } from "../support/fakes/aws-sts.ts";
import { startFakeIdentity } from "../support/fakes/github-identity.ts";
import { createTeam, failureOf, openLibrary } from "./open-team.ts";

it("reads from a cloud with the identity of the job, and leaves the variables of its program alone", async () => {
  const github = await startFakeIdentity();
  const [sts, amazon] = [await startFakeSts(github), await startFakeAwsSecrets()];
  onTestFinished(async () => {
    for (const fake of [github, sts, amazon]) await fake.stop();
  });
  amazon.put("apps/api/KEY", "test-deployed");
  const repository = await createTeam({ "prod/api/KEY": "test-sealed" });
  const credentials = { role: sts.role, web_identity: "${oidc:sts.amazonaws.com}", sts_endpoint: sts.url };
  const cloud = { kind: "aws-secrets-manager", region: fakeAwsRegion, endpoint: amazon.url, path: "apps/api" };
  const policy = {
    targets: { cloud: { ...cloud, scopes: ["prod/api"], credentials } },
    environments: { production: { sources: ["cloud"] } },
  };
  repository.write("policies/deploy.yaml", stringify(policy));
  const env = { GITHUB_ACTIONS: "true", ...github.variables };
  const { runtime } = await openLibrary(repository, { environment: "production", env });
  expect((await runtime.getSecret("prod/api/KEY")).revealText()).toBe("test-deployed");
  expect(env).toMatchObject(github.variables);

  const without = await openLibrary(repository, { environment: "production", env: { GITHUB_ACTIONS: "true" } });
  const failure = await failureOf(without.runtime.getSecret("prod/api/KEY"));
  expect([failure.code, failure.message]).toEqual([
    "E_PROVIDER",
    expect.stringContaining("permissions: id-token: write"),
  ]);
});
