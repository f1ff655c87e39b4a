import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseRecordHeader } from "../../src/crypto/record.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

const then = new Date("2026-01-02T03:04:05Z");

describe("mv", () => {
  it("renames in a scope: the value keeps its id, its time and its comments", async () => {
    const repository = await repositoryWith("# of A\nA: one\nB: two\n");
    const before = header(repository, "dev/app", "A");
    await repository.ok(["mv", "dev/app/A", "dev/app/A_KEY"]);
    expect((await repository.ok(["decrypt", "dev/app"])).stdout).toBe("# of A\nA_KEY: one\nB: two\n");
    expect(header(repository, "dev/app", "A_KEY")).toMatchObject(before);
    expect(repository.git("log", "-1", "--format=%s").trim()).toBe("secrets: move dev/app/A to dev/app/A_KEY");
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  it("moves to another scope in one commit", async () => {
    const repository = await repositoryWith("A: one\nB: two\n");
    const before = header(repository, "dev/app", "A");
    const count = commits(repository);
    await repository.ok(["mv", "dev/app/A", "dev/web/A"]);
    expect(commits(repository)).toBe(count + 1);
    expect((await repository.ok(["decrypt", "dev/app"])).stdout).toBe("B: two\n");
    expect((await repository.ok(["decrypt", "dev/web"])).stdout).toBe("A: one\n");
    expect(header(repository, "dev/web", "A").valueId).toBe(before.valueId);
    expect(
      repository.git("log", "-1", "--format=%(trailers:key=Sealtree-Secret,valueonly)").trim().split("\n"),
    ).toEqual(expect.arrayContaining(["dev/app/A", "dev/web/A"]));
  });

  it("moves a whole scope: the old file goes, its keyring stays, and it can come back", async () => {
    const repository = await repositoryWith("# of A\nA: one\nB: two\n");
    await repository.ok(["mv", "dev/app", "dev/web"]);
    expect((await repository.ok(["decrypt", "dev/web"])).stdout).toBe("# of A\nA: one\nB: two\n");
    expect(existsSync(join(repository.root, "secrets/dev/app.yaml"))).toBe(false);
    expect(existsSync(join(repository.root, "secrets/dev/app.keys"))).toBe(true);
    expect(repository.git("status", "--porcelain")).toBe("");
    expect((await repository.ok(["decrypt", "dev/app", "--at", "HEAD~1"])).stdout).toContain("A: one");
    await repository.ok(["mv", "dev/web", "dev/app"]);
    expect((await repository.ok(["decrypt", "dev/app"])).stdout).toBe("# of A\nA: one\nB: two\n");
  });

  it("does not write over a secret without --force, nor over a scope at all", async () => {
    const repository = await repositoryWith("A: one\nB: two\n");
    const refused = await repository.run(["mv", "dev/app/A", "dev/app/B"]);
    expect(refused.code).toBe(7);
    expect(refused.stderr).toContain("--force");
    expect((await repository.run(["mv", "dev/app/A", "dev/app/B", "--force"])).code).toBe(2);
    await repository.ok(["mv", "dev/app/A", "dev/app/B", "--force", "--yes"]);
    expect((await repository.ok(["decrypt", "dev/app"])).stdout).toBe("B: one\n");
    await repository.ok(["cp", "dev/app", "dev/web"]);
    expect((await repository.run(["mv", "dev/app", "dev/web", "--force", "--yes"])).code).toBe(7);
  });

  it.each([
    ["a scope for a secret", ["dev/app/A", "dev/app"], "dev/app/A"],
    ["the same address", ["dev/app/A", "dev/app/A"], "same address"],
    ["no address", ["dev/app/A", "web"], "an address is"],
  ])("refuses %s as destination", async (_what, argv, said) => {
    const repository = await repositoryWith("A: one\n");
    const result = await repository.run(["mv", ...argv]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(said);
  });

  it("finds no secret and no scope that is not there", async () => {
    const repository = await repositoryWith("API_KEY: one\n");
    const secret = await repository.run(["mv", "dev/app/API_KEI", "dev/app/B"]);
    expect(secret.code).toBe(4);
    expect(secret.stderr).toContain("did you mean API_KEY?");
    expect((await repository.run(["mv", "dev/none/A", "dev/app/B"])).code).toBe(4);
  });

  it("asks which is meant when the word is a scope and a secret", async () => {
    const repository = await repositoryWith("A: one\n");
    await repository.ok(["set", "dev/app", "--stdin"], { stdin: "secret named app" });
    const result = await repository.run(["mv", "dev/app", "dev/web"]);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain("--as scope");
    await repository.ok(["mv", "dev/app", "dev/other", "--as", "secret"]);
    expect((await repository.ok(["decrypt", "dev"])).stdout).toBe('other: "secret named app"\n');
    await repository.ok(["mv", "dev/app", "dev/web", "--as", "scope"]);
    expect((await repository.ok(["decrypt", "dev/web"])).stdout).toBe("A: one\n");
  });

  it("says which lines of the rotation policy still name it", async () => {
    const repository = await repositoryWith("A: one\nA.B: two\n");
    repository.write(
      "policies/rotation.yaml",
      "secrets:\n  dev/app/A: { rotator: manual }\n  dev/app/A.B: { rotator: manual }\n  dev/app2/A: {} # dev/app/A\n",
    );
    const secret = await repository.ok(["mv", "dev/app/A", "dev/app/NEW"]);
    const warnings = (stderr: string) => stderr.split("\n").filter((text) => text.includes("warning"));
    expect(warnings(secret.stderr)).toEqual([
      "sealtree: warning: policies/rotation.yaml:2 still names dev/app/A; change it to dev/app/NEW",
    ]);
    const scope = await repository.ok(["mv", "dev/app", "dev/web"]);
    expect(warnings(scope.stderr)).toEqual([
      "sealtree: warning: policies/rotation.yaml:2 still names dev/app/A; change it to dev/web/A",
      "sealtree: warning: policies/rotation.yaml:3 still names dev/app/A.B; change it to dev/web/A.B",
    ]);
  });

  it("leaves a secret alone that is being rotated", async () => {
    const repository = await repositoryWith("A: one\nB: two\n");
    repository.write("secrets/dev/app.rotation/A.yaml", "state: claimed\n");
    expect((await repository.run(["mv", "dev/app/A", "dev/web/A"])).code).toBe(8);
    expect((await repository.run(["mv", "dev/app", "dev/web"])).code).toBe(8);
    await repository.ok(["mv", "dev/app/B", "dev/web/B"]);
  });

  it("changes nothing on a dry run", async () => {
    const repository = await repositoryWith("A: one\n");
    const result = await repository.ok(["mv", "dev/app", "dev/web", "--dry-run", "--json"]);
    expect(result.json()).toMatchObject({ commit: null, dry_run: true });
    expect(repository.git("status", "--porcelain")).toBe("");
    expect(existsSync(join(repository.root, "secrets/dev/web.yaml"))).toBe(false);
  });
});

describe("cp", () => {
  it("keeps the id and the time of the value, so that who knows it there is known to know it here", async () => {
    const repository = await repositoryWith("# of A\nA: one\n");
    await repository.ok(["cp", "dev/app/A", "dev/web/COPY"]);
    expect((await repository.ok(["decrypt", "dev/web"])).stdout).toBe("# of A\nCOPY: one\n");
    expect((await repository.ok(["decrypt", "dev/app"])).stdout).toBe("# of A\nA: one\n");
    const [first, copy] = [header(repository, "dev/app", "A"), header(repository, "dev/web", "COPY")];
    expect(copy.createdAt).toBe(first.createdAt);
    expect(copy.createdAt).toBe(then.getTime() / 1000);
    expect(copy.valueId).toBe(first.valueId);
  });

  it("copies a scope", async () => {
    const repository = await repositoryWith("A: one\nB: two\n");
    const before = repository.read("secrets/dev/app.yaml");
    await repository.ok(["cp", "dev/app", "dev/web"]);
    expect((await repository.ok(["decrypt", "dev/web"])).stdout).toBe("A: one\nB: two\n");
    expect(repository.read("secrets/dev/app.yaml")).toBe(before);
    expect((await repository.run(["cp", "dev/app", "dev/web"])).code).toBe(7);
  });
});

async function repositoryWith(yaml: string): Promise<TestRepository> {
  const repository = await createSealedRepository();
  await repository.ok(["encrypt", "-", "--scope", "dev/app", "--format", "yaml"], { stdin: yaml, now: then });
  return repository;
}

function header(repository: TestRepository, scope: string, name: string) {
  const record = new RegExp(`^${name}: (.*)$`, "m").exec(repository.read(`secrets/${scope}.yaml`))?.[1] ?? "";
  const { valueId, createdAt } = parseRecordHeader(record);
  return { valueId, createdAt };
}

function commits(repository: TestRepository): number {
  return Number(repository.git("rev-list", "--count", "HEAD"));
}
