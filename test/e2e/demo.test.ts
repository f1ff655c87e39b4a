import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { builtBin } from "../support/build.ts";

const folder = mkdtempSync(join(tmpdir(), "sealtree-demo-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const timeoutMs = 120_000;

describe.concurrent("sealtree demo", () => {
  it(
    "holds every claim, prints the figures, and leaves only what is to be kept",
    async ({ expect: expectHere }) => {
      const kept = join(folder, "kept");
      const { code, stdout, stderr, left } = await runDemo("text", ["--keep", kept]);
      expectHere(existsSync(join(kept, "alice/company/secrets/prod/billing.yaml"))).toBe(true);
      expectHere({ code, stderr, left }).toEqual({ code: 0, stderr: "", left: { home: [], temporary: [] } });
      expectHere(stdout).not.toContain("FAILED");
      const [, held, claims] = /^([0-9]+) of ([0-9]+) claims held\.$/m.exec(stdout) ?? [];
      expectHere(Number(held)).toBeGreaterThanOrEqual(20);
      expectHere(held).toBe(claims);
      for (const figure of [/ secrets +202$/m, / scopes +20$/m, / members +3$/m, / commits +[0-9]+$/m]) {
        expectHere(stdout).toMatch(figure);
      }
      for (const time of ["seal", "open", "get", "list"]) {
        expectHere(stdout).toMatch(new RegExp(`^ +${time} +[0-9.]+ ms`, "m"));
      }
    },
    timeoutMs,
  );

  it(
    "removes its folder when it is interrupted",
    async ({ expect: expectHere }) => {
      const { signal, left } = await runDemo("interrupted", [], "2. Import");
      expectHere({ signal, left }).toEqual({ signal: "SIGINT", left: { home: [], temporary: [] } });
    },
    timeoutMs,
  );

  it("does not write over a folder", async ({ expect: expectHere }) => {
    const { code, stdout, stderr } = await runDemo("there", ["--keep", folder]);
    expectHere({ code, stdout }).toEqual({ code: 7, stdout: "" });
    expectHere(stderr).toContain("the folder of --keep is there already");
  });
});

/** Runs the built command with a home and a temporary folder of its own; sends SIGINT once `interruptAt` was printed. */
async function runDemo(name: string, args: readonly string[], interruptAt?: string) {
  const [home, temporary] = [join(folder, name, "home"), join(folder, name, "tmp")];
  for (const path of [home, temporary]) mkdirSync(path, { recursive: true });
  const env = { PATH: process.env["PATH"], HOME: home, TMPDIR: temporary };
  const child = spawn(process.execPath, [builtBin, "demo", ...args], { env, cwd: temporary });
  let [stdout, stderr] = ["", ""];
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.on("data", (chunk: Buffer) => {
    const isBefore = interruptAt !== undefined && !stdout.includes(interruptAt);
    stdout += chunk.toString();
    if (isBefore && stdout.includes(interruptAt)) child.kill("SIGINT");
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on("close", (...end) => resolve(end));
  });
  // Node 24 keeps the compiled code of every start there, as of any command.
  const own = readdirSync(home).filter((entry) => entry !== ".cache");
  const left = { home: own, temporary: readdirSync(temporary) };
  return { code, signal, stdout, stderr, left };
}
