import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { workflowPaths } from "../../src/github/plan-setup.ts";
import { createRepository, createSealedRepository, type TestRepository } from "../support/repository.ts";

const action = "acme/sealtree@3f1c0de4b5a69788796a5b4c3d2e1f0011223344 # v0.2.0";
const first = ["github-setup", "--repository", "acme/api", "--action", action];

/** A team with a rule of rotation and the targets gh and kv. */
async function createTeam(): Promise<TestRepository> {
  const repository = await createSealedRepository();
  repository.write("policies/rotation.yaml", "secrets:\n  prod/api/DB: {rotator: generate, options: {kind: hex}}\n");
  repository.write(
    "policies/deploy.yaml",
    [
      "targets:",
      "  gh: {kind: github-actions, repository: acme/api, scopes: [prod/api], token: '${env:DEPLOY_TOKEN}'}",
      "  kv: {kind: dotenv, scopes: [prod/api], file: .env}",
      "",
    ].join("\n"),
  );
  return repository;
}

function present(repository: TestRepository): string[] {
  return workflowPaths.filter((path) => existsSync(join(repository.root, path)));
}

describe("what github-setup is asked for", () => {
  it.each([
    ["--environment rotation", "would share its identity"],
    ["--environment Rotation=kv", "would share its identity"],
    ["--environment none --environment production", "none stands beside an environment"],
    ["--branch a..b", "cannot filter by"],
    ["--branch feature//x", "cannot filter by"],
    ["--branch main/", "cannot filter by"],
    ["--branch main.lock", "cannot filter by"],
    ["--branch HEAD", "cannot filter by"],
  ])("is refused with %s", async (words, said) => {
    const repository = await createTeam();
    const result = await repository.run([...first, ...words.split(" ")]);
    expect([result.code, result.stderr, present(repository)]).toEqual([2, expect.stringContaining(said), []]);
  });

  it("is refused where sealtree was not initialised", async () => {
    const repository = createRepository();
    const result = await repository.run([...first, "--branch", "main"]);
    expect([result.code, result.stderr, present(repository)]).toEqual([
      4,
      expect.stringContaining("sealtree init"),
      [],
    ]);
  });

  it("gets a remark where nothing rotates, or two environments deploy the same target", async () => {
    const remarksOf = async (repository: TestRepository, ...words: string[]) =>
      (await repository.ok([...first, "--dry-run", "--json", ...words])).json<{ remarks: string[] }>().remarks;
    const team = await createTeam();
    const two = (one: string, other: string) => remarksOf(team, "--environment", one, "--environment", other);
    expect(await two("a=kv", "b=gh")).toEqual([]);
    expect(await two("a=kv,gh", "b=gh")).toEqual([
      expect.stringContaining("more than one environment deploys the target gh"),
    ]);
    expect(await two("a", "b=gh")).toEqual([expect.stringContaining("the environment a names no targets")]);
    expect(await remarksOf(team, "--environment", "a")).toEqual([]);
    team.write("policies/rotation.yaml", "secrets: {}\n");
    expect(await two("a=kv", "b=gh")).toEqual([expect.stringContaining("no rule in policies/rotation.yaml")]);
  });

  it("names the variables that an App and a gate need, beside the secrets", async () => {
    const repository = await createTeam();
    const words = [...first, "--dry-run", "--environment", "production", "--app", "--gate"];
    expect((await repository.ok([...words, "--json"])).json()).toMatchObject({
      variables: [
        { environment: "rotation", names: ["SEALTREE_APP_ID"] },
        { environment: "production", names: ["SEALTREE_ANCHOR"] },
      ],
    });
    const { stderr } = await repository.ok(words);
    expect(stderr).toContain("the environment rotation on GitHub has to hold the variable SEALTREE_APP_ID");
    expect((await repository.ok([...first, "--dry-run", "--json"])).json()).toMatchObject({ variables: [] });
  });
});
