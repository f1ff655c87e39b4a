import { chmodSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createRepository, type TestRepository } from "../support/repository.ts";

const scopeFile = "secrets/dev/app.yaml";
const fixable = ["attributes", "scope-file", "stray-file"];
let repository: TestRepository;
let start: string;

async function rulesFound(...words: string[]): Promise<string[]> {
  const { findings } = (await repository.run(["check", "--json", ...words])).json<{ findings: { rule: string }[] }>();
  return findings.map(({ rule }) => rule).filter((rule) => fixable.includes(rule));
}

function isProgram(path: string): boolean {
  return (statSync(join(repository.root, path)).mode & 0o111) !== 0;
}

/** A scope file whose records stand in another order, a program, and no attributes; committed. */
function disorder(): void {
  const [head, first, second] = repository.read(scopeFile).split(/\n\n/);
  repository.write(
    scopeFile,
    `${head ?? ""}\n\n${(second ?? "").trimEnd()}\n# a comment\n${(first ?? "").trimEnd()}\n`,
  );
  chmodSync(join(repository.root, scopeFile), 0o755);
  chmodSync(join(repository.root, "policies/access.yaml"), 0o755);
  repository.write(".gitattributes", "*.png binary\n");
  repository.git("add", "-A");
  repository.git("commit", "--quiet", "-m", "disorder");
}

beforeAll(async () => {
  repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  for (const name of ["API_KEY", "OTHER_KEY"])
    await repository.ok(["set", `dev/app/${name}`, "--stdin"], { stdin: `test-${name}` });
  start = repository.git("rev-parse", "HEAD").trim();
});

beforeEach(() => {
  repository.git("reset", "--quiet", "--hard", start);
  repository.git("clean", "--quiet", "-ffdx");
});

describe("check --fix", () => {
  it("puts attributes, modes and the order of records right, in one commit, and changes no record", async () => {
    const before = repository.read(scopeFile);
    disorder();
    repository.write("mine.txt", "not yet committed\n");
    repository.git("add", "mine.txt");
    expect((await rulesFound()).sort()).toEqual(["attributes", "scope-file", "stray-file", "stray-file"]);
    const { stderr, code } = await repository.run(["check", "--fix", "--reason", "tidy"], {
      env: { XDG_CONFIG_HOME: "/nonexistent" },
    });
    expect(code).toBe(0);
    expect(stderr).toContain(`fixed ${scopeFile}: order and form, no program any more\n`);
    expect(stderr).toContain("fixed .gitattributes: ");
    expect(repository.read(scopeFile)).toBe(before.replace("API_KEY", "# a comment\nAPI_KEY"));
    expect(repository.read(".gitattributes")).toMatch(/^\*\.png binary\n# sealtree: begin\n/);
    expect(isProgram(scopeFile) || isProgram("policies/access.yaml")).toBe(false);
    expect(repository.git("show", "--name-only", "--format=%s%n%b", "HEAD").trim().split("\n")).toEqual(
      expect.arrayContaining([
        "secrets: put files in order",
        "tidy",
        scopeFile,
        "policies/access.yaml",
        ".gitattributes",
      ]),
    );
    expect(repository.git("ls-tree", "-r", "HEAD", "secrets", "policies")).not.toContain("100755");
    expect(repository.git("status", "--porcelain")).toBe("A  mine.txt\n");
    expect(await rulesFound()).toEqual([]);
    const head = repository.git("rev-parse", "HEAD");
    await repository.ok(["check", "--fix"]);
    expect(repository.git("rev-parse", "HEAD")).toBe(head);
  });

  it("says what it would do with --dry-run, and leaves the commit to you with --no-commit", async () => {
    disorder();
    const [text, head] = [repository.read(scopeFile), repository.git("rev-parse", "HEAD")];
    const dry = (await repository.run(["check", "--fix", "--dry-run", "--json"])).json<{ fixed: { file: string }[] }>();
    expect(dry).toMatchObject({ dry_run: true, commit: null });
    expect(dry.fixed.map(({ file }) => file)).toEqual([".gitattributes", "policies/access.yaml", scopeFile]);
    expect(repository.read(scopeFile)).toBe(text);
    await repository.ok(["check", "--fix", "--no-commit"]);
    expect(await rulesFound()).toEqual([]);
    expect(repository.git("rev-parse", "HEAD")).toBe(head);
    expect(repository.git("status", "--porcelain")).toContain(` M ${scopeFile}`);
  });

  it("leaves what it does not understand, and names the command for what takes a key", async () => {
    const { stdout } = await repository.ok(["keygen", "--x25519", "-o", join(repository.home, "bob.key")]);
    repository.write("policies/members/bob.pub", stdout);
    const policy = repository.read("policies/access.yaml");
    repository.write(
      "policies/access.yaml",
      policy
        .replace("members:\n", "members:\n  bob: { roles: [engineer] }\n")
        .replace(/^version: (\d+)/m, (_, version) => `version: ${Number(version) + 1}`),
    );
    const broken = "$sealtree: 1\n$scope: dev/bad\nA: plain\n";
    repository.write("secrets/dev/bad.yaml", broken);
    repository.write("secrets/dev/notes.sh", "#!/bin/sh\n");
    chmodSync(join(repository.root, "secrets/dev/notes.sh"), 0o755);
    const { code, stderr } = await repository.run(["check", "--fix"]);
    expect(code).toBe(1);
    expect(stderr).toContain("1 finding of these takes a key: sealtree rekey\n");
    expect(repository.read("secrets/dev/bad.yaml")).toBe(broken);
    expect(isProgram("secrets/dev/notes.sh")).toBe(true);
  });

  it("goes without --at, and needs git", async () => {
    expect((await repository.run(["check", "--fix", "--at", "HEAD"])).code).toBe(2);
    renameSync(join(repository.root, ".git"), join(repository.home, "git"));
    const { code } = await repository.run(["check", "--fix"]);
    renameSync(join(repository.home, "git"), join(repository.root, ".git"));
    expect(code).toBe(4);
  });
});

describe("the formats of check", () => {
  it("are text, github, json and sarif, one at a time", async () => {
    const sarif = (await repository.run(["check", "--sarif"])).json<{ runs: { results: { ruleId: string }[] }[] }>();
    const { findings } = (await repository.run(["check", "--format", "json"])).json<{ findings: { rule: string }[] }>();
    expect(sarif.runs[0]?.results.map(({ ruleId }) => ruleId)).toEqual(findings.map(({ rule }) => rule));
    expect((await repository.run(["check", "--format", "sarif"])).json()).toEqual(sarif);
    expect((await repository.run(["check", "--sarif", "--json"])).code).toBe(2);
    expect((await repository.run(["check", "--format", "xml"])).code).toBe(2);
  });
});
