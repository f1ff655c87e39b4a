import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtBin } from "../support/build.ts";
import { createHostileRepository, type HostileRepository } from "../support/hostile-repository.ts";

let repository: HostileRepository;

/** What the built check opens and starts, by strace, and how it ends. */
function trace(words: readonly string[]) {
  const { root, home, env } = repository;
  const report = join(home, "trace");
  writeFileSync(report, "");
  const calls = "trace=open,openat,openat2,execve,connect,socket";
  const result = spawnSync(
    "strace",
    ["-f", "-qq", "-y", "-o", report, "-e", calls, process.execPath, builtBin, "check", ...words],
    {
      cwd: root,
      env: { PATH: process.env["PATH"] ?? "", ...env },
      encoding: "utf8",
    },
  );
  const lines = readFileSync(report, "utf8").split("\n");
  const done = (call: string) => lines.filter((line) => line.includes(`${call}(`) && !/ = -1 E/.test(line));
  return {
    code: result.status,
    opened: done("open").concat(done("openat")),
    started: done("execve"),
    connected: done("connect"),
  };
}

beforeAll(async () => {
  repository = await createHostileRepository();
});
afterAll(() => repository.close());

describe("the built check on a hostile repository", () => {
  it.each([[["--format", "text"]], [["--at", "HEAD"]], [["--sarif", "--base", "HEAD~1"]]])(
    "opens nothing outside, starts nothing but git, and speaks to nobody: %j",
    (words) => {
      const { code, opened, started, connected } = trace(words);
      expect(code).toBe(1);
      expect(opened.filter((line) => line.includes(repository.outside) || line.includes("/etc/passwd"))).toEqual([]);
      const programs = started.map((line) => /execve\("([^"]*)"/.exec(line)?.[1]?.split("/").at(-1));
      expect(new Set(programs)).toEqual(new Set(["git", process.execPath.split("/").at(-1)]));
      expect(connected).toEqual([]);
      expect(existsSync(repository.canary)).toBe(false);
    },
  );

  it("is told apart from one that follows links: strace sees those", () => {
    const report = join(repository.home, "trace");
    const link = join(repository.root, "secrets/dev/link.yaml");
    execFileSync("strace", ["-f", "-qq", "-y", "-o", report, "-e", "trace=openat", "cat", link], { stdio: "ignore" });
    expect(readFileSync(report, "utf8")).toContain(`<${join(repository.outside, "a.yaml")}>`);
  });
});
