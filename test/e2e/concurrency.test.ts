import { execFileSync, spawn } from "node:child_process";
import { describe, expect, it } from "vitest";
import { builtBin } from "../support/build.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";

const writers = [1, 2, 3, 4, 5, 6, 7, 8];
const timeoutMs = 120_000;

describe("eight processes at once", () => {
  it(
    "that set different secrets of one scope lose no update",
    async () => {
      const repository = await createScope();
      const before = countCommits(repository);
      const codes = await Promise.all(
        writers.map((number) => setInProcess(repository, `dev/app/KEY_${number}`, `test-value-${number}`)),
      );
      expect(codes).toEqual(writers.map(() => 0));
      for (const number of writers) {
        expect(await reveal(repository, `dev/app/KEY_${number}`)).toBe(`test-value-${number}`);
      }
      expect(countCommits(repository) - before).toBe(writers.length);
      expect(repository.git("status", "--porcelain")).toBe("");
    },
    timeoutMs,
  );

  it(
    "that set one secret leave the value of the last commit, and every version opens",
    async () => {
      const repository = await createScope();
      const before = countCommits(repository);
      await Promise.all(writers.map((number) => setInProcess(repository, "dev/app/KEY", `test-value-${number}`)));
      const written = writers.map((number) => `test-value-${number}`);
      const versions: string[] = [];
      for (let back = 0; back < writers.length; back++) {
        versions.push(await reveal(repository, "dev/app/KEY", "--at", `HEAD~${back}`));
      }
      expect(versions.toSorted()).toEqual(written);
      expect(await reveal(repository, "dev/app/KEY")).toBe(versions[0]);
      expect(countCommits(repository) - before).toBe(writers.length);
      expect(repository.git("status", "--porcelain")).toBe("");
    },
    timeoutMs,
  );

  it(
    "that make one new scope end with one keyring that opens all",
    async () => {
      const repository = await createScope();
      const codes = await Promise.all(
        writers.map((number) => setInProcess(repository, `dev/new/KEY_${number}`, `test-value-${number}`)),
      );
      expect(codes).toEqual(writers.map(() => 0));
      const files = repository.git("ls-files", "secrets/dev/new.keys").trim().split("\n");
      expect(files).toHaveLength(1);
      for (const number of writers) {
        expect(await reveal(repository, `dev/new/KEY_${number}`)).toBe(`test-value-${number}`);
      }
    },
    timeoutMs,
  );
});

describe("a user who commits all the while", () => {
  it(
    "loses nothing, and neither does sealtree",
    async () => {
      const repository = await createScope();
      const before = countCommits(repository);
      const user = commitInLoop(repository);
      const codes: (number | null)[] = [];
      for (const number of writers) {
        codes.push(await setInProcess(repository, `dev/app/KEY_${number}`, `test-value-${number}`));
      }
      const made = await user.stop();
      expect(codes).toEqual(writers.map(() => 0));
      expect(made).toBeGreaterThan(writers.length);
      expect(countCommits(repository) - before).toBe(made + writers.length);
      for (const number of writers) {
        expect(await reveal(repository, `dev/app/KEY_${number}`, "--at", "HEAD")).toBe(`test-value-${number}`);
      }
      expect(repository.git("show", "HEAD:notes.txt")).toBe(repository.read("notes.txt"));
      expect(repository.git("status", "--porcelain")).toBe("");
    },
    timeoutMs,
  );
});

async function createScope(): Promise<TestRepository> {
  const repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  await repository.ok(["init", "--yes"]);
  await repository.ok(["set", "dev/app/FIRST", "--stdin"], { stdin: "test-value-first" });
  return repository;
}

function environmentOf(repository: TestRepository) {
  return { PATH: process.env["PATH"] ?? "", ...repository.env };
}

function setInProcess(repository: TestRepository, address: string, value: string): Promise<number | null> {
  const child = spawn(process.execPath, [builtBin, "set", address, "--stdin"], {
    cwd: repository.root,
    env: environmentOf(repository),
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.stdin.end(value);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
}

/** A shell that appends to a file and commits it, again and again. `stop` gives how many commits it made. */
function commitInLoop(repository: TestRepository): { stop(): Promise<number> } {
  const script = `
    n=0
    while ! read -t 0.01 -r _; do
      echo "line $n" >> notes.txt
      git add notes.txt 2>/dev/null && git commit --quiet -m "user $n" 2>/dev/null && n=$((n + 1))
    done
    until git add notes.txt 2>/dev/null; do :; done
    git diff --cached --quiet || { git commit --quiet -m "user $n" && n=$((n + 1)); }
    echo $n`;
  const child = spawn("bash", ["-c", script], { cwd: repository.root, env: environmentOf(repository) });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const end = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve(Number(output)));
  });
  return {
    stop() {
      child.stdin.end("\n");
      return end;
    },
  };
}

function countCommits(repository: TestRepository): number {
  return Number(
    execFileSync("git", ["rev-list", "--count", "HEAD"], { cwd: repository.root, env: environmentOf(repository) }),
  );
}

async function reveal(repository: TestRepository, address: string, ...flags: string[]): Promise<string> {
  return (await repository.ok(["get", address, "--reveal", "--yes", ...flags])).stdout;
}
