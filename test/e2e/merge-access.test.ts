import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createRepository, type TestRepository } from "../support/repository.ts";

let repository: TestRepository;
const keys = new Map<string, string>();

/** Alice alone, with one secret; carol joins on the branch `carol`, dan on `dan`, each with a rule of rotation. */
beforeAll(async () => {
  repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  await repository.ok(["set", "dev/app/A", "--stdin"], { stdin: "test-a" });
  for (const name of ["carol", "dan", "erin"])
    keys.set(name, (await repository.ok(["keygen", "--x25519", "-o", `../${name}.key`])).stdout.trim());
  repository.git("tag", "start");
  for (const name of ["carol", "dan"]) {
    goTo("start");
    await addMember(name);
    const rules = repository.read("policies/rotation.yaml");
    repository.write(
      "policies/rotation.yaml",
      rules.replace("secrets: {}", `secrets: { dev/app/A: { owner: ${name} } }`),
    );
    repository.git("commit", "--quiet", "--all", "--message", "a rule");
    repository.git("tag", name);
  }
});

function goTo(start: string): void {
  repository.git("checkout", "--quiet", "--force", "--detach", start);
}

async function addMember(name: string): Promise<void> {
  await repository.ok(["member", "add", name, "--recipient", keys.get(name) ?? "", "--role", "engineer", "--yes"]);
}

function tryMerge(...args: string[]): string {
  try {
    const env = { PATH: process.env["PATH"] ?? "", ...repository.env };
    execFileSync("git", ["merge", "--no-edit", ...args], {
      cwd: repository.root,
      env,
      encoding: "utf8",
      stdio: "pipe",
    });
    return "";
  } catch (error) {
    const said = error as { stdout: string; stderr: string };
    return said.stdout + said.stderr;
  }
}

const readPolicy = () => parse(repository.read("policies/access.yaml"));
const errorsOf = async () =>
  (await repository.run(["check", "--json"]))
    .json<{ findings: { rule: string; severity: string }[] }>()
    .findings.filter(({ severity }) => severity === "error")
    .map(({ rule }) => rule);

describe("git merge of access", () => {
  it("joins members of both sides, and stops at what is one side's or the other's", async () => {
    goTo("carol");
    const said = tryMerge("dan");
    expect(said).toContain("conflict in policies/rotation.yaml: secrets.dev/app/A was changed on both sides");
    expect(said).toMatch(
      /dev\/app\.keys\/\w+\.yaml: ours is wrapped for alice-example, carol, theirs for alice-example, dan/,
    );
    expect(said).toMatch(/finish the merge, then: sealtree rekey dev\/app/);
    expect(readPolicy()).toMatchObject({
      version: 3,
      members: { "alice-example": {}, carol: { roles: ["engineer"] }, dan: { roles: ["engineer"] } },
    });
    expect(repository.read("policies/rotation.yaml")).toContain(
      "<<<<<<< ours\nsecrets: { dev/app/A: { owner: carol } }\n",
    );

    const listed = await repository.run(["resolve"]);
    expect([listed.code, listed.stdout]).toEqual([
      1,
      "policies/rotation.yaml: secrets.dev/app/A was changed on both sides\n",
    ]);
    await repository.ok(["resolve", "policies/rotation.yaml", "--theirs"]);
    expect(repository.read("policies/rotation.yaml")).toContain("secrets: { dev/app/A: { owner: dan } }\n");
    expect(await errorsOf()).toEqual(["reader-drift"]);
    repository.git("commit", "--quiet", "--no-edit");
    await repository.ok(["rekey", "--yes"]);
    expect(await errorsOf()).toEqual([]);
    for (const name of ["carol", "dan"]) {
      const env = {
        SEALTREE_IDENTITY_FILE: join(repository.root, `../${name}.key`),
        HOME: join(repository.root, "../empty"),
      };
      expect((await repository.ok(["get", "dev/app/A", "--reveal", "--yes"], { env })).stdout).toBe("test-a");
    }
  });

  it("settles the same after a merge without the driver", async () => {
    goTo("carol");
    tryMerge("dan");
    const policy = repository.read("policies/access.yaml");
    repository.git("merge", "--abort");
    repository.git("config", "--rename-section", "merge.sealtree", "merge.away");
    expect(tryMerge("dan")).toContain("CONFLICT");
    repository.git("config", "--rename-section", "merge.away", "merge.sealtree");
    expect(repository.read("policies/access.yaml")).toContain("<<<<<<<");
    await repository.ok(["resolve", "--all", "--ours"]);
    expect(repository.read("policies/access.yaml")).toBe(policy);
    expect(await errorsOf()).toEqual(["reader-drift"]);
    repository.git("merge", "--abort");
  });

  it("joins a new member with a removal, and a change of one key file with another", async () => {
    goTo("carol");
    await repository.ok(["member", "remove", "carol", "--yes"]);
    repository.git("tag", "removed");
    goTo("carol");
    await repository.ok(["member", "add", "carol", "--recipient", keys.get("erin") ?? "", "--yes"]);
    expect(tryMerge("removed")).toContain("CONFLICT (modify/delete): policies/members/carol.pub");
    const listed = await repository.run(["resolve"]);
    expect(listed.stdout).toContain(
      "policies/members/carol.pub: it was removed on their side and changed on the other",
    );
    await repository.ok(["resolve", "--all", "--theirs"]);
    expect(Object.keys(readPolicy().members)).toEqual(["alice-example"]);
    expect(readPolicy().removed).toHaveProperty("carol");
    repository.git("commit", "--quiet", "--no-edit");
    expect((await errorsOf()).filter((rule) => rule.startsWith("policy"))).toEqual([]);
  });
});
