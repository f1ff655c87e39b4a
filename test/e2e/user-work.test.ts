import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { exitCodes } from "../../src/errors.ts";
import { builtBin } from "../support/build.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";

const elsewhere = mkdtempSync(join(tmpdir(), "sealtree-elsewhere-"));
afterAll(() => rmSync(elsewhere, { recursive: true, force: true }));

describe("what the user has not committed", () => {
  it("stays staged, unstaged, partly staged, untracked and deleted as it was", async () => {
    const repository = await createSealed();
    for (const path of ["partly.txt", "unstaged.txt", "gone.txt", "moved.txt"]) repository.write(path, "one\n");
    repository.git("add", ".");
    repository.git("commit", "--quiet", "-m", "work");
    repository.write("staged.txt", "mine\n");
    repository.write("partly.txt", "two\n");
    repository.git("add", "staged.txt", "partly.txt");
    repository.git("rm", "--quiet", "gone.txt");
    repository.git("mv", "moved.txt", "there.txt");
    repository.write("partly.txt", "three\n");
    repository.write("unstaged.txt", "two\n");
    repository.write("untracked.txt", "new\n");
    repository.git("add", "--intent-to-add", "untracked.txt");
    const status = repository.git("status", "--porcelain=v2");
    const diffs = [repository.git("diff"), repository.git("diff", "--cached")];
    await setOk(repository);
    expect(repository.git("status", "--porcelain=v2")).toBe(status);
    expect([repository.git("diff"), repository.git("diff", "--cached")]).toEqual(diffs);
    expect(filesOfLastCommit(repository)).toEqual(["secrets/dev/app.yaml"]);
  });

  it("is not in the commit when it is a change to another scope", async () => {
    const repository = await createSealed();
    await repository.ok(["set", "dev/web/API_KEY", "--stdin", "--no-commit"], { stdin: "test-value-web" });
    await setOk(repository);
    expect(filesOfLastCommit(repository)).toEqual(["secrets/dev/app.yaml"]);
    expect(repository.git("status", "--porcelain", "-uall")).toMatch(/^\?\? secrets\/dev\/web/);
  });
});

describe("hooks of the user", () => {
  it("survive, and those that judge the user's own work do not stop a write", async () => {
    const repository = await createSealed();
    const hooks = ["pre-commit", "commit-msg", "prepare-commit-msg", "post-commit"];
    for (const name of hooks) writeHook(repository, name, `echo ${name} >> hooks-that-ran; exit 1`);
    const before = hooks.map((name) => repository.read(`.git/hooks/${name}`));
    await setOk(repository);
    expect(hooks.map((name) => repository.read(`.git/hooks/${name}`))).toEqual(before);
    expect(existsSync(join(repository.root, "hooks-that-ran"))).toBe(false);
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  it("see the branch move when they watch references, and may refuse it", async () => {
    const repository = await createSealed();
    const seen = '[ "$1" = committed ] && cat >> .git/seen; exit 0';
    writeHook(repository, "reference-transaction", seen);
    await setOk(repository);
    expect(repository.read(".git/seen")).toContain(` ${repository.git("rev-parse", "HEAD").trim()} `);
    const head = repository.git("rev-parse", "HEAD");
    writeHook(repository, "reference-transaction", '[ "$1" != prepared ]');
    const refused = await repository.run(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-value-refused" });
    expect(refused.code).toBe(exitCodes.provider);
    expect(repository.git("rev-parse", "HEAD")).toBe(head);
    writeHook(repository, "reference-transaction", seen);
    await setOk(repository, "test-value-refused");
    expect(repository.git("status", "--porcelain")).toBe("");
  });
});

describe("a write in the middle of another operation of git", () => {
  const operations: readonly (readonly [string, string, (repository: TestRepository) => void])[] = [
    ["a merge", "git merge --abort", (repository) => fails(() => repository.git("merge", "other"))],
    ["a rebase", "git rebase --abort", (repository) => fails(() => repository.git("rebase", "other"))],
    ["a cherry-pick", "git cherry-pick --abort", (repository) => fails(() => repository.git("cherry-pick", "other"))],
    ["a revert", "git revert --abort", (repository) => fails(() => repository.git("revert", "HEAD~1"))],
    ["a bisect", "git bisect reset", (repository) => repository.git("bisect", "start")],
  ];

  it.each(operations)("is refused during %s, says %s, and works afterwards", async (name, wayOut, begin) => {
    const repository = await createSealed();
    divergeNotes(repository);
    begin(repository);
    const before = repository.git("status", "--porcelain=v2", "--branch");
    const result = await repository.run(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-value-two" });
    expect(result.code).toBe(exitCodes.conflict);
    expect(result.stderr).toContain(`git is in the middle of ${name}`);
    expect(result.stderr).toContain(wayOut);
    expect(repository.git("status", "--porcelain=v2", "--branch")).toBe(before);
    repository.git(...wayOut.split(" ").slice(1));
    await setOk(repository, "test-value-two");
  });
});

describe("a repository", () => {
  it("without any commit, in a path with spaces and quotes, gets its first one", async () => {
    const repository = createRepository('it\'s a "repo" with spaces');
    await repository.ok(["keygen", "--x25519"]);
    repository.write("staged.txt", "mine\n");
    repository.git("add", "staged.txt");
    await repository.ok(["init", "--yes"]);
    await setOk(repository);
    expect(repository.git("rev-list", "--count", "HEAD").trim()).toBe("2");
    expect(repository.git("status", "--porcelain")).toBe("A  staged.txt\n");
  });

  it("on an unborn branch beside a born one gets its first commit there", async () => {
    const repository = await createSealed();
    const main = repository.git("rev-parse", "main");
    repository.git("checkout", "--quiet", "--orphan", "fresh");
    await setOk(repository, "test-value-two");
    expect(repository.git("rev-list", "--count", "fresh").trim()).toBe("1");
    expect(repository.git("rev-parse", "main")).toBe(main);
  });

  it("on a detached HEAD moves HEAD and no branch", async () => {
    const repository = await createSealed();
    const main = repository.git("rev-parse", "main");
    repository.git("checkout", "--quiet", "--detach");
    await setOk(repository, "test-value-two");
    expect(repository.git("rev-parse", "main")).toBe(main);
    expect(repository.git("rev-parse", "HEAD^")).toBe(main);
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  it("is found from a subdirectory", async () => {
    const repository = await createSealed();
    mkdirSync(join(repository.root, "src/deep"), { recursive: true });
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], {
      stdin: "test-value-two",
      cwd: join(repository.root, "src/deep"),
    });
    expect(filesOfLastCommit(repository)).toEqual(["secrets/dev/app.yaml"]);
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  it("with a linked work tree is written there, and the main one stays", async () => {
    const repository = await createSealed();
    const linked = join(elsewhere, "linked tree");
    repository.git("worktree", "add", "--quiet", "-b", "feature", linked);
    const main = repository.git("rev-parse", "main");
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-value-two", cwd: linked });
    expect(repository.git("rev-parse", "main")).toBe(main);
    expect(repository.git("rev-parse", "feature^")).toBe(main);
    expect(repository.git("-C", linked, "status", "--porcelain")).toBe("");
    expect(repository.git("status", "--porcelain")).toBe("");
    expect((await repository.ok(["get", "dev/app/API_KEY", "--reveal", "--yes"])).stdout).toBe("test-value-one");
  });

  it("with core.autocrlf keeps LF in our files, in the tree and on disk", async () => {
    const repository = createRepository();
    repository.git("config", "core.autocrlf", "true");
    await seal(repository);
    expect(repository.git("cat-file", "blob", "HEAD:secrets/dev/app.yaml")).not.toContain("\r");
    rmSync(join(repository.root, "secrets"), { recursive: true });
    repository.git("checkout", "--", "secrets");
    expect(repository.read("secrets/dev/app.yaml")).not.toContain("\r");
    await setOk(repository, "test-value-two");
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  it("with SHA-256 objects works like any other", async () => {
    const repository = createRepository();
    rmSync(join(repository.root, ".git"), { recursive: true });
    repository.git("init", "--quiet", "--object-format=sha256");
    await seal(repository);
    await setOk(repository, "test-value-two");
    expect(repository.git("rev-parse", "HEAD").trim()).toHaveLength(64);
    expect(repository.git("status", "--porcelain")).toBe("");
    const old = await repository.ok(["get", "dev/app/API_KEY", "--reveal", "--yes", "--at", "HEAD~1"]);
    expect(old.stdout).toBe("test-value-one");
  });

  it("with commit.gpgsign gets commits that verify with the user's SSH key", async () => {
    const repository = createRepository();
    const key = join(repository.home, "test_signing_key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "alice@example.test", "-f", key]);
    const allowed = join(repository.home, "allowed_signers");
    writeFileSync(allowed, `alice@example.test ${readFileSync(`${key}.pub`, "utf8")}`);
    for (const [name, value] of [
      ["gpg.format", "ssh"],
      ["user.signingKey", `${key}.pub`],
      ["gpg.ssh.allowedSignersFile", allowed],
      ["commit.gpgSign", "true"],
    ] as const) {
      repository.git("config", "--global", name, value);
    }
    await seal(repository);
    for (const commit of repository.git("rev-list", "HEAD").trim().split("\n")) {
      expect(repository.git("log", "-1", "--format=%G? %GS", commit).trim()).toBe("G alice@example.test");
    }
    expect(() => repository.git("verify-commit", "HEAD")).not.toThrow();
  });
});

describe("Ctrl-C", () => {
  it("in the middle of a commit leaves no lock in the user's way", async () => {
    const repository = await createSealed();
    const git = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
    const spy = join(repository.home, "bin/git");
    const interrupt = 'case " $* " in *" update-ref "*) kill -INT $PPID; sleep 0.2;; esac';
    mkdirSync(join(repository.home, "bin"));
    writeFileSync(spy, `#!/bin/sh\n${interrupt}\nexec '${git}' "$@"\n`, { mode: 0o755 });
    const path = `${join(repository.home, "bin")}${delimiter}${process.env["PATH"] ?? ""}`;
    const { signal } = spawnSync(process.execPath, [builtBin, "set", "dev/app/API_KEY", "--stdin"], {
      cwd: repository.root,
      env: { ...repository.env, PATH: path },
      input: "test-value-two",
    });
    expect(signal).toBe("SIGINT");
    expect(existsSync(join(repository.root, ".git/index.lock"))).toBe(false);
    expect(repository.git("status", "--porcelain")).toBe("");
    await setOk(repository, "test-value-two");
  });
});

async function createSealed(): Promise<TestRepository> {
  const repository = createRepository();
  await seal(repository);
  return repository;
}

async function seal(repository: TestRepository): Promise<void> {
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-value-one" });
}

/** Sets a value and reads it back from HEAD. */
async function setOk(repository: TestRepository, value = "test-value-new"): Promise<void> {
  await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: value });
  const read = await repository.ok(["get", "dev/app/API_KEY", "--reveal", "--yes", "--at", "HEAD"]);
  expect(read.stdout).toBe(value);
}

function filesOfLastCommit(repository: TestRepository): string[] {
  return repository.git("show", "--format=", "--name-only", "HEAD").trim().split("\n");
}

function writeHook(repository: TestRepository, name: string, script: string): void {
  repository.write(`.git/hooks/${name}`, `#!/bin/sh\n${script}\n`);
  chmodSync(join(repository.root, ".git/hooks", name), 0o755);
}

/** Two branches that change the same line, and a last commit on top that makes a revert conflict. */
function divergeNotes(repository: TestRepository): void {
  const commit = (content: string) => {
    repository.write("notes.txt", `${content}\n`);
    repository.git("add", "notes.txt");
    repository.git("commit", "--quiet", "-m", content);
  };
  commit("first");
  repository.git("checkout", "--quiet", "-b", "other");
  commit("theirs");
  repository.git("checkout", "--quiet", "main");
  commit("ours");
  commit("ours again");
}

function fails(work: () => unknown): void {
  expect(work).toThrow("Command failed");
}
