import { describe, expect, it } from "vitest";
import { act } from "../support/act.ts";
import { findCanaries } from "../support/canary.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

const canary = "drift-canary-5k::add-mask::x";

async function createDeployed(): Promise<TestRepository> {
  const repository = await createSealedRepository();
  await repository.ok(["set", "prod/api/API_KEY", "--stdin"], { stdin: canary });
  repository.write("policies/deploy.yaml", "targets:\n  file: {kind: dotenv, scopes: [prod/api], file: .env}\n");
  repository.write(".gitignore", ".env\n");
  repository.git("add", "--all");
  repository.git("commit", "--quiet", "-m", "policies");
  await repository.ok(["deploy", "--yes"]);
  return repository;
}

describe("drift", () => {
  it("passes while the targets hold what the repository says", async () => {
    const result = await act(await createDeployed(), { command: "drift" });
    expect([result.code, result.outputs.get("count"), result.outputs.get("failed"), result.annotations]).toEqual([
      0,
      "0",
      "0",
      [],
    ]);
    expect(result.summary).toContain("| file | in sync |");
  });

  it("fails with the names that differ, and shows no value", async () => {
    const repository = await createDeployed();
    repository.write(".env", repository.read(".env").replace("drift-canary", "other-canary"));
    const result = await act(repository, { command: "drift", targets: "file" });
    expect([result.code, result.outputs.get("count"), result.outputs.get("names")]).toEqual([1, "1", "file"]);
    expect(result.annotations[0]).toMatchObject({ level: "error", properties: { title: "sealtree drift" } });
    expect(result.annotations[0]?.message).toContain("API_KEY (changed)");
    expect(findCanaries([result.raw, result.summary, ...result.outputs.values()].join("\n"), [canary])).toEqual([]);
    expect(repository.read(".env")).toContain("other-canary");
  });

  it("is refused where anybody may have started the job, and takes no inputs of deploy", async () => {
    const repository = await createDeployed();
    const foreign = await act(repository, { command: "drift" }, { event: "pull_request_target" });
    expect([foreign.code, foreign.annotations[0]?.properties["title"]]).toEqual([5, "E_ACTION_REFUSED"]);
    const dry = await act(repository, { command: "drift", "dry-run": "true" });
    expect([dry.code, dry.annotations[0]?.message]).toEqual([2, expect.stringContaining("dry-run is not for drift")]);
  });
});
