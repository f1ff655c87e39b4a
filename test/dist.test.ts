import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtBin } from "./support/build.ts";

const chunks = fileURLToPath(new URL("../dist/chunks/", import.meta.url));
const buildScript = fileURLToPath(new URL("../scripts/build.js", import.meta.url));

let repository: string;

beforeAll(() => {
  repository = mkdtempSync(join(tmpdir(), "sealtree-dist-"));
  execFileSync("git", ["init", "--quiet", repository]);
  execFileSync("git", ["-C", repository, "config", "user.name", "Ada Test"]);
  execFileSync("git", ["-C", repository, "config", "user.email", "ada@example.test"]);
  sealtree(["init", "--yes"]);
  sealtree(["set", "dev/app/API_KEY", "--stdin"], { input: "test-value-of-dist" });
});

afterAll(() => rmSync(repository, { recursive: true, force: true }));

describe("the built command", () => {
  it("prints its version and loads no chunk with age, yaml, zod or simple-git", () => {
    const { output, loaded } = loadedChunks(["--version"]);
    expect(output).toMatch(/^\d+\.\d+\.\d+\n$/);
    expectBuiltButNotLoaded(["age-encryption", "yaml", "zod", "simple-git"], loaded);
  });

  it("opens a value and loads no chunk with yaml, zod or simple-git", () => {
    const { output, loaded } = loadedChunks(["get", "dev/app/API_KEY", "--reveal", "--yes"]);
    expect(output).toBe("test-value-of-dist");
    expectBuiltButNotLoaded(["yaml", "zod", "simple-git"], loaded);
  });
});

describe("the build", () => {
  it("gives the same bytes twice, and they are the bytes of dist", () => {
    const digests = execFileSync(process.execPath, [buildScript, "--check"], { encoding: "utf8" });
    expect(digests).toMatch(/^([0-9a-f]{64})\n\1\n\1\n$/);
  });
});

function sealtree(args: string[], options: { input?: string; env?: NodeJS.ProcessEnv } = {}): string {
  return execFileSync(process.execPath, [builtBin, ...args], { cwd: repository, encoding: "utf8", ...options });
}

/** Runs the command under V8's coverage, which writes down every script that was loaded. */
function loadedChunks(args: string[]): { output: string; loaded: string[] } {
  const folder = mkdtempSync(join(tmpdir(), "sealtree-coverage-"));
  try {
    const output = sealtree(args, { env: { ...process.env, NODE_V8_COVERAGE: folder } });
    const reports = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    const urls = reports.flatMap((report) => (JSON.parse(report) as { result: { url: string }[] }).result);
    const loaded = urls.flatMap(({ url }) => /\/dist\/(?:chunks\/)?(.+)\.js$/.exec(url)?.slice(1) ?? []);
    expect(loaded).toContain("bin");
    return { output, loaded };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function expectBuiltButNotLoaded(names: string[], loaded: string[]): void {
  expect(readdirSync(chunks)).toEqual(expect.arrayContaining(names.map((name) => `${name}.js`)));
  expect(loaded.filter((name) => names.includes(name))).toEqual([]);
}
