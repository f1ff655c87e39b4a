import { chmodSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CliOptions } from "../support/run-cli.ts";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";

interface Report {
  readonly findings: readonly {
    readonly rule: string;
    readonly severity: string;
    readonly file: string;
    readonly line: number | null;
    readonly message: string;
  }[];
  readonly errors: number;
  readonly warnings: number;
  readonly opened?: number;
}

const stranger = { env: { XDG_CONFIG_HOME: "/nonexistent" } };

let made: { readonly repository: TestRepository; readonly start: string } | undefined;

/** The same repository for all tests, as it was at the start. */
async function createRepositoryWithSecrets(): Promise<TestRepository> {
  if (made !== undefined) {
    const { repository, start } = made;
    repository.git("clean", "--quiet", "-ffdx");
    repository.git("reset", "--quiet", "--hard", start);
    for (const name of ["elsewhere", "bob.key"]) rmSync(join(repository.home, name), { recursive: true, force: true });
    return repository;
  }
  const repository = await createSealedRepository();
  for (const name of ["API_KEY", "OTHER_KEY"])
    await repository.ok(["set", `dev/app/${name}`, "--stdin"], { stdin: `test-${name}` });
  made = { repository, start: repository.git("rev-parse", "HEAD").trim() };
  return repository;
}

async function report(
  repository: TestRepository,
  words: readonly string[] = [],
  options: Partial<CliOptions> = {},
): Promise<Report> {
  return (await repository.run(["check", "--json", ...words], options)).json<Report>();
}

async function errorsOf(repository: TestRepository, ...words: string[]): Promise<string[]> {
  const { findings } = await report(repository, words);
  return findings
    .filter(({ severity }) => severity === "error")
    .map(({ rule, file, line }) => `${rule} ${file}:${line ?? "-"}`);
}

const scopeFile = "secrets/dev/app.yaml";

function generationFile(repository: TestRepository): string {
  const [name = ""] = readdirSync(join(repository.root, "secrets/dev/app.keys"));
  return `secrets/dev/app.keys/${name}`;
}

function edit(repository: TestRepository, path: string, change: (text: string) => string): void {
  const before = repository.read(path);
  const after = change(before);
  expect(after).not.toBe(before);
  repository.write(path, after);
}

describe("check", () => {
  it("ends with 0 on a repository in order, whose warnings count only with --strict", async () => {
    const repository = await createRepositoryWithSecrets();
    expect(await report(repository)).toMatchObject({ errors: 0, scopes: 1, secrets: 2 });
    expect((await repository.run(["check"])).code).toBe(0);
    expect((await repository.run(["check", "--strict"])).code).toBe(1);
    expect((await report(repository)).findings.map(({ rule }) => rule).sort()).toEqual([
      "no-rotation-rule",
      "recovery",
      "unused-role",
      "unused-role",
    ]);
  });

  it("needs no key", async () => {
    const repository = await createRepositoryWithSecrets();
    expect((await repository.run(["check"], stranger)).code).toBe(0);
    expect((await repository.run(["check", "--deep"], stranger)).code).toBe(5);
  });

  it.each<[string, string, (repository: TestRepository) => void]>([
    [
      "a plaintext value",
      `scope-file ${scopeFile}:4`,
      (it) => edit(it, scopeFile, (text) => text.replace(/^API_KEY: .*$/m, "API_KEY: plain")),
    ],
    [
      "a file that was moved",
      "scope-file secrets/dev/moved.yaml:2",
      (it) => it.write("secrets/dev/moved.yaml", it.read(scopeFile).split("\n").slice(0, 2).join("\n") + "\n"),
    ],
    [
      "conflict markers",
      `scope-file ${scopeFile}:4`,
      (it) => edit(it, scopeFile, (text) => text.replace("API_KEY", "<<<<<<< ours\nAPI_KEY")),
    ],
    [
      "a record cut short",
      `record ${scopeFile}:4`,
      (it) => edit(it, scopeFile, (text) => text.replace(/^(API_KEY: .*).{8}$/m, "$1")),
    ],
    [
      "an edited keyring",
      "keyring GENERATION:-",
      (it) => edit(it, generationFile(it), (text) => text.replace(/^created: .*$/m, "created: today")),
    ],
    [
      "a stanza too few",
      "keyring GENERATION:7",
      (it) =>
        edit(it, generationFile(it), (text) =>
          text.replace(/^wrapped_for: .*$/m, (line) => line.replace("]}", ", ffffffffffffffff]}")),
        ),
    ],
    [
      "a predecessor that is not there",
      "keyring GENERATION:4",
      (it) => edit(it, generationFile(it), (text) => text.replace("previous: none", `previous: ${"ab".repeat(16)}`)),
    ],
    [
      "a role that is not defined",
      "policy policies/access.yaml:ROLE",
      (it) =>
        edit(it, "policies/access.yaml", (text) =>
          text.replace("roles: [senior-engineer]", "roles: [boss, senior-engineer]"),
        ),
    ],
    [
      "an unknown field",
      "policy-schema policies/access.yaml:4",
      (it) => edit(it, "policies/access.yaml", (text) => text.replace("\n\n#", "\nowner: x\n\n#")),
    ],
    [
      "a scope without a reader",
      `uncovered-scope ${scopeFile}:2`,
      (it) => edit(it, "policies/access.yaml", (text) => text.replaceAll('scopes: ["**"', 'scopes: ["**", "!dev/**"')),
    ],
    ["a file of another kind", "stray-file secrets/dev/notes.txt:-", (it) => it.write("secrets/dev/notes.txt", "x")],
    [
      "a symbolic link",
      "stray-file secrets/dev/link.yaml:-",
      (it) => symlinkSync("/etc/hostname", join(it.root, "secrets/dev/link.yaml")),
    ],
    [
      "a file beyond the limit",
      "stray-file secrets/dev/large.yaml:-",
      (it) => it.write("secrets/dev/large.yaml", Buffer.alloc(17 * 1024 * 1024)),
    ],
  ])("finds %s", async (_what, expected, damage) => {
    const repository = await createRepositoryWithSecrets();
    const generation = generationFile(repository);
    damage(repository);
    const role =
      repository
        .read("policies/access.yaml")
        .split("\n")
        .findIndex((line) => line.includes("boss")) + 1;
    const place = expected.replace("GENERATION", generation).replace("ROLE", String(role));
    expect(await errorsOf(repository)).toContain(place);
    expect((await repository.run(["check"])).code).toBe(1);
  });

  it("finds records whose generation is gone", async () => {
    const repository = await createRepositoryWithSecrets();
    const gone = generationFile(repository);
    rmSync(join(repository.root, gone));
    expect(await errorsOf(repository)).toEqual([
      `keyring-append-only ${gone}:1`,
      `unknown-generation ${scopeFile}:4`,
      `unknown-generation ${scopeFile}:6`,
    ]);
  });

  it("goes on after the first mistake of a file", async () => {
    const repository = await createRepositoryWithSecrets();
    repository.write(
      "secrets/dev/bad.yaml",
      "$sealtree: 9\n$scope: prod/x\n\nA: one\n\n# left over\n\nB: two\nC: three",
    );
    const lines = (await report(repository)).findings.filter(
      ({ file, severity }) => file === "secrets/dev/bad.yaml" && severity === "error",
    );
    expect(lines.map(({ line }) => line)).toEqual([1, 2, 4, 7, 8, 9, 9]);
  });

  it("warns of a program, of missing attributes and of a classical key", async () => {
    const repository = await createRepositoryWithSecrets();
    chmodSync(join(repository.root, scopeFile), 0o755);
    repository.write(".gitattributes", "# none\n");
    const key = join(repository.home, "bob.key");
    const { stdout } = await repository.ok(["keygen", "--x25519", "-o", key]);
    await repository.ok(["member", "add", "bob", "--recipient", stdout.trim(), "--role", "engineer", "--yes"]);
    const { findings } = await report(repository);
    const warnings = findings
      .filter(({ severity }) => severity === "warning")
      .map(({ rule, file }) => `${rule} ${file}`);
    expect(warnings).toEqual(
      expect.arrayContaining([
        `stray-file ${scopeFile}`,
        "attributes .gitattributes",
        "post-quantum policies/members/bob.pub",
      ]),
    );
  });

  it("reads a commit instead of the work tree with --at", async () => {
    const repository = await createRepositoryWithSecrets();
    symlinkSync("/etc/hostname", join(repository.root, "secrets/dev/link.yaml"));
    expect((await report(repository, ["--at", "HEAD"])).findings.map(({ rule }) => rule).toSorted()).toEqual([
      "no-rotation-rule",
      "recovery",
      "unused-role",
      "unused-role",
    ]);
    repository.git("add", "-A");
    repository.git("update-index", "--chmod=+x", scopeFile);
    repository.git("commit", "--quiet", "-m", "bad");
    rmSync(join(repository.root, "secrets/dev/link.yaml"));
    expect(await errorsOf(repository)).toEqual([]);
    expect(await errorsOf(repository, "--at", "HEAD")).toEqual(["stray-file secrets/dev/link.yaml:-"]);
    expect((await report(repository, ["--at", "HEAD"])).findings.map(({ rule, file }) => `${rule} ${file}`)).toContain(
      `stray-file ${scopeFile}`,
    );
  });

  it.each(["secrets", "policies", "secrets/dev"])("reports a link in place of the directory %s", async (directory) => {
    const repository = await createRepositoryWithSecrets();
    renameSync(join(repository.root, directory), join(repository.home, "elsewhere"));
    symlinkSync(join(repository.home, "elsewhere"), join(repository.root, directory));
    expect(await errorsOf(repository)).toContain(`stray-file ${directory}:-`);
  });

  it("opens everything with --deep and finds records that were swapped", async () => {
    const repository = await createRepositoryWithSecrets();
    expect(await report(repository, ["--deep"])).toMatchObject({ errors: 0, opened: 2, closed: 0 });
    edit(repository, scopeFile, (text) => {
      const [, first = "", second = ""] = /API_KEY: (\S+)[\s\S]*OTHER_KEY: (\S+)/.exec(text) ?? [];
      return text.replace(first, "FIRST").replace(second, first).replace("FIRST", second);
    });
    expect(await errorsOf(repository)).toEqual([]);
    expect(await errorsOf(repository, "--deep")).toEqual([`deep ${scopeFile}:4`, `deep ${scopeFile}:6`]);
    expect((await repository.run(["check", "--deep"])).code).toBe(1);
  });

  it("finds a changed list of readers with --deep", async () => {
    const repository = await createRepositoryWithSecrets();
    edit(repository, generationFile(repository), (text) =>
      text.replace(/^(minted_for: .*)\}$/m, "$1, zoe: [ffffffffffffffff]}"),
    );
    expect(await errorsOf(repository, "--deep")).toContain(`deep ${generationFile(repository)}:8`);
  });

  it("never prints what stands in a file, and escapes names", async () => {
    const repository = await createRepositoryWithSecrets();
    const canary = "Canary-Value";
    repository.write(
      "secrets/dev/bad.yaml",
      `$sealtree: ${canary}\n$scope: ${canary}\n\nA: ${canary}\n# ${canary}\u0007\n${canary}\n`,
    );
    repository.write("policies/members/alice-example.pub", `${canary}\n`);
    repository.write("policies/rotation.yaml", `defaults: {interval: ${canary}}\n`);
    edit(repository, "policies/access.yaml", (text) =>
      text.replace("signing: off", `signing: ${canary}\n${canary}: 1`),
    );
    repository.write("secrets/dev/a\u001b[31mb\n.txt", canary);
    for (const words of [["check"], ["check", "--format", "github"], ["check", "--json"]]) {
      const { stdout, stderr } = await repository.run(words);
      expect(stdout + stderr).not.toContain(canary);
      // oxlint-disable-next-line no-control-regex -- the point is that there are none
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    }
    expect((await repository.run(["check"])).stdout).toContain(
      "secrets/dev/a\\u{1b}[31mb\\u{a}.txt: error stray-file: ",
    );
  });

  it("prints annotations for GitHub, escaped", async () => {
    const repository = await createRepositoryWithSecrets();
    repository.write("secrets/dev/a,b:c%\n.txt", "x");
    const { stdout } = await repository.run(["check", "--format", "github"]);
    expect(stdout).toContain(
      "::error file=secrets/dev/a%2Cb%3Ac%25%0A.txt,title=sealtree stray-file::this is no file of sealtree",
    );
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .every((line) => /^::(?:error|warning|notice) /.test(line)),
    ).toBe(true);
    expect((await repository.run(["check", "--format", "xml"])).code).toBe(2);
  });

  it("says that there is nothing of sealtree, and that a policy is missing", async () => {
    const repository = await createRepositoryWithSecrets();
    rmSync(join(repository.root, "policies/access.yaml"));
    expect(await errorsOf(repository)).toEqual(["policy policies/access.yaml:1"]);
    rmSync(join(repository.root, "policies"), { recursive: true });
    rmSync(join(repository.root, "secrets"), { recursive: true });
    expect((await repository.run(["check"])).code).toBe(4);
  });
});
