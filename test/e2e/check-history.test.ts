import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Finding } from "../../src/store/finding.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";

const policyFile = "policies/access.yaml";
let repository: TestRepository;
let start: string;

async function report(...words: string[]): Promise<{ findings: readonly Finding[]; base: string | null }> {
  return (await repository.run(["check", "--json", ...words])).json();
}

/** Errors of the rules that look back, and their lines. */
async function errorsOf(...words: string[]): Promise<string[]> {
  const { findings } = await report(...words);
  const errors = findings.filter(({ severity }) => severity === "error");
  return errors.map(({ rule, file, line }) => `${rule} ${file}:${line ?? "-"}`);
}

function edit(path: string, change: (text: string) => string): void {
  const before = repository.read(path);
  const after = change(before);
  expect(after).not.toBe(before);
  repository.write(path, after);
}

function commit(message = "test"): string {
  repository.git("add", "-A");
  repository.git("commit", "--quiet", "-m", message);
  return repository.git("rev-parse", "HEAD").trim();
}

function setVersion(version: number): void {
  edit(policyFile, (text) => text.replace(/^version: \d+/m, `version: ${version}`));
}

function versionLine(): number {
  return lineOf("version:");
}

function lineOf(start: string): number {
  return (
    repository
      .read(policyFile)
      .split("\n")
      .findIndex((line) => line.startsWith(start)) + 1
  );
}

beforeAll(async () => {
  repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  setVersion(5);
  const lists = `removed:\n  zoe: { version: 3, at: 2026-01-01 }\nremoved_keys:\n  "00112233aabbccdd": { member: zoe, version: 3, at: 2026-01-01 }\n`;
  edit(policyFile, (text) => `${text}${lists}`);
  start = commit();
});

beforeEach(() => {
  repository.git("checkout", "--quiet", "--force", "-B", "main", start);
  repository.git("clean", "--quiet", "-ffdx");
  for (const name of ["second.key", "dave.key", "bob.key"]) rmSync(join(repository.home, name), { force: true });
});

const addRole = () => edit(policyFile, (text) => text.replace("roles:\n", "roles:\n  nobody: { grants: [] }\n"));

describe("policy-version", () => {
  it("asks for one more when the policy or a key file changed, and for nothing when only a comment did", async () => {
    edit(policyFile, (text) => `# a comment\n${text}`);
    expect(await errorsOf()).toEqual([]);
    addRole();
    expect(await errorsOf()).toEqual([`policy-version ${policyFile}:${versionLine()}`]);
    setVersion(6);
    expect(await errorsOf()).toEqual([]);
    setVersion(7);
    expect(await errorsOf()).toEqual([`policy-version ${policyFile}:${versionLine()}`]);
    setVersion(4);
    expect(await errorsOf()).toEqual([`policy-version ${policyFile}:${versionLine()}`]);
  });

  it("judges a key file too", async () => {
    const { stdout } = await repository.ok(["keygen", "--x25519", "-o", join(repository.home, "second.key")]);
    edit("policies/members/alice-example.pub", (text) => `${text}${stdout.trim()}\n`);
    expect(await errorsOf()).toContain(`policy-version ${policyFile}:${versionLine()}`);
  });

  it("compares a commit with its parent, and with --base over several commits", async () => {
    const base = repository.git("rev-parse", "HEAD").trim();
    for (const version of [6, 7]) {
      edit(policyFile, (text) => text.replace("roles:\n", `roles:\n  role${version}: { grants: [] }\n`));
      setVersion(version);
      commit();
    }
    expect(await errorsOf("--at", "HEAD")).toEqual([]);
    expect(await errorsOf("--base", base)).toEqual([]);
    expect((await report("--base", base)).base).toBe(base);
    edit(policyFile, (text) => text.replace("roles:\n", "roles:\n  more: { grants: [] }\n"));
    const bad = commit();
    await expect(errorsOf()).resolves.toEqual([]);
    expect(await errorsOf("--at", bad)).toEqual([`policy-version ${policyFile}:${versionLine()}`]);
  });

  it("takes for the base of a branch where it parted, not what came after", async () => {
    repository.git("checkout", "--quiet", "-B", "topic");
    repository.write("README.md", "topic\n");
    commit();
    repository.git("checkout", "--quiet", "main");
    addRole();
    setVersion(6);
    commit();
    repository.git("checkout", "--quiet", "topic");
    expect(await errorsOf("--base", "main")).toEqual([]);
  });

  it("refuses a base that it joins in several places, and takes one that was merged into the branch", async () => {
    const first = repository.git("rev-parse", "HEAD").trim();
    repository.git("checkout", "--quiet", "-B", "side");
    repository.write("side.txt", "side\n");
    const side = commit();
    repository.git("checkout", "--quiet", "main");
    addRole();
    setVersion(6);
    const changed = commit();
    repository.git("merge", "--quiet", "--no-edit", "side");
    const joined = repository.git("commit-tree", `${side}^{tree}`, "-p", side, "-p", changed, "-m", "join").trim();
    repository.git("checkout", "--quiet", "-B", "topic", joined);
    repository.write("README.md", "topic\n");
    commit();
    const { code, stderr } = await repository.run(["check", "--base", "main"]);
    expect([code, stderr.includes("git merge")]).toEqual([7, true]);
    repository.git("merge", "--quiet", "-s", "ours", "--no-edit", "main");
    expect(await errorsOf("--base", "main")).toEqual([`policy-version ${policyFile}:${versionLine()}`]);
    repository.git("checkout", "--quiet", "-B", "honest", first);
    repository.git("merge", "--quiet", "--no-edit", "--no-ff", changed);
    repository.git("merge", "--quiet", "--no-edit", "main");
    expect([await errorsOf("--base", "main"), (await report("--base", "main")).base]).toEqual([
      [],
      repository.git("rev-parse", "main").trim(),
    ]);
  });

  it("wants more than the first parent has, and not one more, where branches met", async () => {
    repository.git("checkout", "--quiet", "-B", "topic");
    for (const version of [6, 7]) {
      edit(policyFile, (text) => text.replace("roles:\n", `roles:\n  role${version}: { grants: [] }\n`));
      setVersion(version);
      commit();
    }
    repository.git("checkout", "--quiet", "main");
    repository.write("README.md", "main\n");
    commit();
    repository.git("merge", "--quiet", "--no-commit", "--no-ff", "topic");
    expect(await errorsOf()).toEqual([]);
    repository.git("commit", "--quiet", "-m", "merge");
    expect(await errorsOf("--at", "HEAD")).toEqual([]);
  });
});

describe("removed-member", () => {
  it("finds an entry that is gone and one that was changed", async () => {
    setVersion(6);
    edit(policyFile, (text) => text.replace(/^ {2}zoe: .*\n/m, "").replace("removed:\n", "removed: {}\n"));
    expect(await errorsOf()).toEqual([`removed-member ${policyFile}:${lineOf("removed:")}`]);
    edit(policyFile, (text) => text.replace("removed: {}\n", "removed:\n  zoe: { version: 3, at: 2026-01-02 }\n"));
    expect(await errorsOf()).toEqual([`removed-member ${policyFile}:${lineOf("  zoe:")}`]);
    edit(policyFile, (text) => text.replace("2026-01-02", "2026-01-01").replace("member: zoe", "member: eve"));
    expect(await errorsOf()).toEqual([`removed-member ${policyFile}:${lineOf('  "00112233aabbccdd"')}`]);
  });

  it("allows an entry to be readmitted, and then to be replaced by a later removal", async () => {
    setVersion(6);
    edit(policyFile, (text) =>
      text.replace("zoe: { version: 3, at: 2026-01-01 }", "zoe: { version: 3, at: 2026-01-01, readmitted: 6 }"),
    );
    expect(await errorsOf()).toEqual([]);
    commit();
    setVersion(7);
    edit(policyFile, (text) =>
      text.replace("zoe: { version: 3, at: 2026-01-01, readmitted: 6 }", "zoe: { version: 7, at: 2026-03-01 }"),
    );
    expect(await errorsOf()).toEqual([]);
    edit(policyFile, (text) => text.replace("zoe: { version: 7", "zoe: { version: 5"));
    expect(await errorsOf()).toEqual([`removed-member ${policyFile}:${lineOf("  zoe:")}`]);
  });

  it("warns of somebody who left without being put on the list", async () => {
    edit(policyFile, (text) => text.replace("members:\n", "members:\n  dave: { roles: [engineer] }\n"));
    repository.write(
      "policies/members/dave.pub",
      (await repository.ok(["keygen", "--x25519", "-o", join(repository.home, "dave.key")])).stdout,
    );
    setVersion(6);
    commit();
    edit(policyFile, (text) => text.replace(/^ {2}dave: .*\n/m, ""));
    rmSync(join(repository.root, "policies/members/dave.pub"));
    setVersion(7);
    const { findings } = await report();
    expect(findings.filter(({ rule }) => rule === "removed-member")).toMatchObject([
      { severity: "warning", message: expect.stringContaining("dave was a member"), line: lineOf("removed:") },
    ]);
  });
});

describe("keyring-append-only", () => {
  it("finds a generation that is gone, also with its scope, and how to restore it", async () => {
    await repository.ok(["set", "dev/app/KEY", "--stdin"], { stdin: "test-value" });
    const [name = ""] = readdirSync(join(repository.root, "secrets/dev/app.keys"));
    rmSync(join(repository.root, "secrets/dev"), { recursive: true });
    const head = repository.git("rev-parse", "--short=12", "HEAD").trim();
    expect((await report()).findings.filter(({ severity }) => severity === "error")).toMatchObject([
      {
        rule: "keyring-append-only",
        file: `secrets/dev/app.keys/${name}`,
        hint: `restore it: git checkout ${head} -- secrets/dev/app.keys/${name}`,
      },
    ]);
    commit();
    expect(await errorsOf()).toEqual([]);
    expect(await errorsOf("--at", "HEAD")).toEqual([`keyring-append-only secrets/dev/app.keys/${name}:1`]);
  });

  it("allows what a rekey does", async () => {
    await repository.ok(["set", "dev/app/KEY", "--stdin"], { stdin: "test-value" });
    const base = repository.git("rev-parse", "HEAD").trim();
    await repository.ok(["rekey", "dev/app", "--yes"]);
    const { stdout } = await repository.ok(["keygen", "--x25519", "-o", join(repository.home, "bob.key")]);
    await repository.ok(["member", "add", "bob", "--recipient", stdout.trim(), "--role", "engineer", "--yes"]);
    expect(await errorsOf("--base", base)).toEqual([]);
  });
});

describe("the base", () => {
  it("is none before the first commit and in a tree without git, and must be there when it is named", async () => {
    const root = repository.git("rev-list", "--max-parents=0", "HEAD").trim();
    expect((await report("--at", root)).base).toBeNull();
    expect((await report()).base).toBe(repository.git("rev-parse", "HEAD").trim());
    expect((await repository.run(["check", "--base", "no-such-branch"])).code).toBe(4);
    repository.git("checkout", "--quiet", "--orphan", "alone");
    expect((await report()).base).toBeNull();
    commit();
    const { code, stderr } = await repository.run(["check", "--base", "main"]);
    expect({ code, said: stderr.includes("fetch-depth: 0") }).toEqual({ code: 4, said: true });
    rmSync(join(repository.root, ".git"), { recursive: true });
    expect((await report()).base).toBeNull();
  });
});
