import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { testIdentity } from "../vectors/test-keys.ts";

let repository: TestRepository;
const values = { "db.password": "canary-db", API_KEY: "canary-key", PORT: "canary-port", TOKEN: "canary-token" };

beforeAll(async () => {
  repository = await createSealedRepository();
  const json = JSON.stringify(values);
  await repository.ok(["import", "dev/app", "--format", "json", "--yes"], { stdin: json });
  await repository.ok(["git-setup", "--hooks"]);
});
beforeEach(() => {
  repository.git("reset", "--quiet", "--hard");
  repository.git("clean", "--quiet", "--force", "-d");
});

/** Stages files and commits them with git, hook and all. Gives what was said, or nothing when it was committed. */
function commit(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}): string {
  for (const [path, text] of Object.entries(files)) repository.write(path, text);
  repository.git("add", "--all", "--force");
  return tryGit(["commit", "--quiet", "--message", "test"], env);
}

function tryGit(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  try {
    execFileSync("git", args, {
      cwd: repository.root,
      env: { PATH: process.env["PATH"] ?? "", ...repository.env, ...env },
      encoding: "utf8",
      stdio: "pipe",
    });
    return "";
  } catch (error) {
    const said = error as { stdout: string; stderr: string };
    return said.stdout + said.stderr;
  }
}

const goOn = "sealtree: nothing was committed; to commit all the same: git commit --no-verify\n";
const sealed = () => repository.read("secrets/dev/app.yaml");

describe("the pre-commit hook", () => {
  it("lets a commit through that has nothing against it", () => {
    expect(commit({ "src/a.ts": "export const a = 1;\n", "config.yaml": "port: 1\nhost: x\n" })).toBe("");
  });

  it("refuses a plaintext value with file and line, and without it", () => {
    const said = commit({ "secrets/dev/app.yaml": `${sealed()}\nX: canary-plain\n` });
    expect(said).toMatch(/^sealtree: refused: secrets\/dev\/app\.yaml:\d+: the line is not a sealed record\n/);
    expect(said).not.toContain("canary");
    expect(said.endsWith(goOn)).toBe(true);
  });

  it("says of a plaintext file below secrets what is missing, line by line, and how it is sealed", () => {
    const said = commit({ "secrets/dev/plain.yaml": "KEY: canary-plain\n" });
    expect(said.split("\n")).toEqual([
      "sealtree: refused: secrets/dev/plain.yaml:1: the first line is not $sealtree: 1",
      "sealtree: hint: if it is plaintext, move it out of the repository, then seal it: sealtree encrypt FILE --scope dev/plain",
      "sealtree: refused: secrets/dev/plain.yaml:2: the second line is not $scope: dev/plain",
      ...goOn.split("\n"),
    ]);
  });

  it.each([
    ["a scope with conflict markers", "secrets/dev/app.yaml", () => `${sealed()}\n<<<<<<< ours\n`, "conflict markers"],
    [
      "a policy with conflict markers",
      "policies/access.yaml",
      () => "a: 1\n<<<<<<< ours\n",
      ":2: the file has conflict",
    ],
    [
      "a keyring file that is none",
      `secrets/dev/app.keys/${"0".repeat(32)}.yaml`,
      () => "x\n",
      "line 1 is not $sealtree",
    ],
    ["a file that is not ours", "secrets/dev/notes.txt", () => "x\n", ":1: this is no file of sealtree"],
    ["a key file with something else", "policies/members/zoe.pub", () => "nonsense\n", "policies/members/zoe.pub:1: "],
    [
      "a private key",
      "test/key.txt",
      () => `# a key\n${testIdentity}\n`,
      "test/key.txt:2: it holds a private key of age",
    ],
    [
      "one in a line of text",
      "README.md",
      () => `\nkey=${testIdentity};\n`,
      "README.md:2: it holds a private key of age",
    ],
    [
      "an SSH key",
      "id",
      () => "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n",
      "id:1: it holds a private key of OpenSSH",
    ],
  ])("refuses %s", (_what, path, text, expected) => {
    const said = commit({ [path]: text() });
    expect(said).toContain(expected);
    expect(said.endsWith(goOn)).toBe(true);
  });

  it("refuses a link among our files", () => {
    symlinkSync("/etc/hostname", join(repository.root, "secrets/dev/link.yaml"));
    expect(commit({})).toContain("secrets/dev/link.yaml:1: it is a symbolic link");
  });

  it.each(["dotenv", "shell", "json", "yaml", "github", "docker", "systemd"])(
    "refuses what export --format %s prints",
    async (format) => {
      const { stdout } = await repository.ok(["export", "dev/app", "--format", format, "--yes"]);
      const said = commit({ "deploy/env": stdout });
      expect(said).toMatch(
        /^sealtree: refused: deploy\/env:\d+: it looks like dev\/app in plaintext: it has 4 of its 4/,
      );
      expect(said).not.toContain("canary");
      expect(commit({}, { SEALTREE_ALLOW_VIEW: "1" })).toBe("");
      repository.git("reset", "--quiet", "--hard", "HEAD~1");
    },
  );

  it("refuses what decrypt prints", async () => {
    const { stdout } = await repository.ok(["decrypt", "dev/app", "--yes"]);
    expect(commit({ "app.yaml": stdout })).toContain("it looks like dev/app in plaintext");
  });

  it.each([
    ["names without values", "DB_PASSWORD=\nAPI_KEY=\nPORT=3000\nTOKEN=\n"],
    ["names with what stands for a value", "DB_PASSWORD=changeme\nAPI_KEY=<key>\nPORT=${PORT}\nTOKEN=your-token\n"],
    ["some of the names", "API_KEY=x1\nPORT=3000\nOTHER=z\n"],
    ["a key of a manual", "AGE-SECRET-KEY-1QQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQ\n"],
  ])("lets %s through", (_what, text) => {
    expect(commit({ ".env.example": text })).toBe("");
    repository.git("reset", "--quiet", "--hard", "HEAD~1");
  });

  it("looks at what is staged, and not at the work tree", () => {
    repository.write("key.txt", "nothing\n");
    repository.git("add", "key.txt");
    repository.write("key.txt", `${testIdentity}\n`);
    expect(tryGit(["commit", "--quiet", "--message", "test"])).toBe("");
    expect(tryGit(["commit", "--quiet", "--all", "--message", "test"])).toContain("key.txt:1: it holds a private key");
    expect(tryGit(["commit", "--quiet", "--message", "test", "key.txt"])).toContain(
      "key.txt:1: it holds a private key",
    );
  });

  it("says it in JSON, and nothing of a clean index", async () => {
    repository.write("key.txt", `${testIdentity}\n`);
    repository.git("add", "key.txt");
    const refused = await repository.run(["pre-commit", "--json"]);
    expect([refused.code, refused.json()]).toMatchObject([
      1,
      { findings: [{ rule: "private-key", file: "key.txt", line: 1 }] },
    ]);
    expect(refused.stdout).not.toContain("AGE-SECRET");
    repository.git("reset", "--quiet");
    expect(await repository.run(["pre-commit"])).toMatchObject({ code: 0, stdout: "", stderr: "" });
  });
});

describe("git-setup --hooks", () => {
  const hook = ".git/hooks/pre-commit";
  const state = async () => (await repository.run(["git-setup", "--check", "--json"])).json()["hook"];

  it("installs a program, once, and brings one of its own up to date", async () => {
    expect(statSync(join(repository.root, hook)).mode & 0o111).not.toBe(0);
    expect((await repository.ok(["git-setup", "--hooks"])).stderr).toBe("this clone is set up already\n");
    const text = repository.read(hook);
    repository.write(hook, text.replaceAll(process.execPath, "/nonexistent/node"));
    expect(await state()).toBe("outdated");
    expect((await repository.ok(["git-setup", "--hooks"])).stderr).toContain(
      `before each commit now: ${join(repository.root, hook)}`,
    );
    expect(repository.read(hook)).toBe(text);
  });

  it("keeps another hook, says what to add to it, and takes that for installed", async () => {
    const text = repository.read(hook);
    repository.write(hook, "#!/bin/sh\necho mine\n");
    const refused = await repository.run(["git-setup", "--hooks"]);
    expect([refused.code, repository.read(hook)]).toEqual([7, "#!/bin/sh\necho mine\n"]);
    expect(await state()).toBe("other");
    const line = /add this line to it: (.*)\n/.exec(refused.stderr)?.[1] ?? "";
    repository.write(hook, `#!/bin/sh\n${line}\necho mine\n`);
    expect(await state()).toBe("installed");
    expect(commit({ "key.txt": testIdentity })).toContain("it holds a private key");
    repository.write(hook, text);
  });

  it("goes where core.hooksPath says", async () => {
    const folder = join(repository.home, "my hooks");
    mkdirSync(folder);
    repository.git("config", "core.hooksPath", folder);
    expect(await state()).toBe("missing");
    await repository.ok(["git-setup", "--hooks"]);
    expect(existsSync(join(folder, "pre-commit"))).toBe(true);
    expect(commit({ "key.txt": testIdentity })).toContain("it holds a private key");
    repository.git("reset", "--quiet", "--hard");
    repository.git("config", "core.hooksPath", ".husky");
    writeFileSync(join(repository.root, ".husky"), "");
    expect(await state()).toBe("missing");
    repository.git("clean", "--quiet", "--force");
    repository.write(".husky/pre-commit", "#!/bin/sh\nnpm test\n");
    chmodSync(join(repository.root, ".husky/pre-commit"), 0o755);
    expect((await repository.run(["git-setup", "--hooks"])).stderr).toContain(
      "add this line to it: sealtree pre-commit || exit 1",
    );
    repository.git("config", "--unset", "core.hooksPath");
  });
});
