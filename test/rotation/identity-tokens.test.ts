import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { findCanaries, findCanaryObjects } from "../support/canary.ts";
import { startFakeAzure } from "../support/fakes/azure.ts";
import { startFakeIdentity } from "../support/fakes/github-identity.ts";
import { createSealedRepository } from "../support/repository.ts";
import { makeThrowAway } from "../support/throw-away.ts";

const address = "prod/api/CLIENT_SECRET";
const audience = "api://AzureADTokenExchange";

it("rotates with the identity of the job in place of an administrator's secret", async () => {
  const github = await startFakeIdentity();
  const azure = await startFakeAzure((text) => github.check(text, audience)["environment"] === "production");
  onTestFinished(async () => {
    await github.stop();
    await azure.stop();
  });
  const repository = await createSealedRepository();
  const base = makeThrowAway("sealtree-remote-");
  execFileSync("git", ["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"], { cwd: base });
  await repository.ok(["set", address, "--stdin", "--yes"], { stdin: azure.addSecret("by hand").secretText });
  const options = {
    tenant: "test.example",
    application: azure.application,
    client: azure.client,
    admin: { client: azure.admin, assertion: `\${oidc:${audience}}` },
    login: azure.login.url,
    graph: new URL(azure.graph.url).origin,
  };
  const rule = { rotator: "azure-app-secret", grace: "24h", options };
  repository.write("policies/rotation.yaml", JSON.stringify({ secrets: { [address]: rule } }));
  repository.git("add", "policies");
  repository.git("commit", "--quiet", "-m", "rotation policy");
  repository.git("remote", "add", "origin", join(base, "remote.git"));
  repository.git("push", "--quiet", "--set-upstream", "origin", "main");

  const refused = await repository.run(["rotate", address, "--yes"], { env: { GITHUB_ACTIONS: "true" } });
  expect([refused.code === 0, refused.stderr]).toEqual([
    false,
    expect.stringContaining("permissions: { contents: read, id-token: write }"),
  ]);
  const env = { GITHUB_ACTIONS: "true", ...github.variables };
  const done = await repository.ok(["rotate", address, "--yes"], { env });
  expect(done.stderr).toContain(`rotated ${address}`);
  const value = (await repository.ok(["get", address, "--reveal", "--yes"])).stdout;
  expect(azure.secrets.at(-1)?.secretText).toBe(value);
  expect(new Set(github.asked)).toEqual(new Set([audience]));
  expect(findCanaries(done.stdout + done.stderr, [...github.given, github.bearer])).toEqual([]);
  expect(findCanaryObjects(repository.root, [...github.given, github.bearer])).toEqual([]);
});
