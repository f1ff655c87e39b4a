import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtBin } from "./support/build.ts";
import { prepareStep } from "./support/runner.ts";

const chunks = fileURLToPath(new URL("../dist/chunks/", import.meta.url));
const actionMain = fileURLToPath(new URL("../dist/action/main.js", import.meta.url));
const actionPost = fileURLToPath(new URL("../dist/action/post.js", import.meta.url));
const buildScript = fileURLToPath(new URL("../scripts/build.js", import.meta.url));

let repository: string;
/** A classical identity: on Node 20, on which no Action runs, only a library opens the others. */
let machine: string;

beforeAll(() => {
  repository = mkdtempSync(join(tmpdir(), "sealtree-dist-"));
  execFileSync("git", ["init", "--quiet", repository]);
  execFileSync("git", ["-C", repository, "config", "user.name", "Ada Test"]);
  execFileSync("git", ["-C", repository, "config", "user.email", "ada@example.test"]);
  sealtree(["init", "--yes"]);
  sealtree(["set", "dev/app/API_KEY", "--stdin"], { input: "test-value-of-dist" });
  const file = join(repository, "machine.txt");
  const made = sealtree(["keygen", "--x25519", "-o", file, "--json"]);
  const { recipient } = JSON.parse(made) as { recipient: string };
  machine = readFileSync(file, "utf8");
  sealtree(["member", "add", "machine", "--recipient", recipient, "--role", "engineer", "--yes"]);
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

describe("the built Action", () => {
  it("hands over values and loads nothing but its core", () => {
    const inputs = { command: "export", scopes: "dev/app" };
    const { env } = prepareStep({ workspace: repository, inputs, env: { SEALTREE_IDENTITY: machine } });
    const loaded = withCoverage("action/", (folder) => {
      execFileSync(process.execPath, [actionMain], { env: { ...env, NODE_V8_COVERAGE: folder } });
    });
    expect(readFileSync(env["GITHUB_ENV"] ?? "", "utf8")).toContain("test-value-of-dist");
    expect(loaded.sort()).toEqual(["core", "main", "rolldown-runtime"]);
  });

  it("is not started once more by its post step", () => {
    const { env } = prepareStep({ workspace: repository, inputs: { command: "export", scopes: "dev/app" } });
    const loaded = withCoverage("action/", (folder) => {
      execFileSync(process.execPath, [actionPost], { env: { ...env, NODE_V8_COVERAGE: folder } });
    });
    expect([loaded.includes("post"), loaded.includes("main")]).toEqual([true, false]);
    expect(readFileSync(env["GITHUB_OUTPUT"] ?? "", "utf8")).toBe("");
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
  let output = "";
  const loaded = withCoverage("", (folder) => {
    output = sealtree(args, { env: { ...process.env, NODE_V8_COVERAGE: folder } });
  });
  expect(loaded).toContain("bin");
  return { output, loaded };
}

/** Names of the scripts below `part` of dist that were loaded by what `run` starts with coverage into the folder. */
function withCoverage(part: string, run: (folder: string) => void): string[] {
  const folder = mkdtempSync(join(tmpdir(), "sealtree-coverage-"));
  try {
    run(folder);
    const reports = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    const urls = reports.flatMap((report) => (JSON.parse(report) as { result: { url: string }[] }).result);
    const pattern = new RegExp(`/dist/${part}(?:chunks/)?([^/]+)\\.js$`);
    return urls.flatMap(({ url }) => pattern.exec(url)?.slice(1) ?? []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function expectBuiltButNotLoaded(names: string[], loaded: string[]): void {
  expect(readdirSync(chunks)).toEqual(expect.arrayContaining(names.map((name) => `${name}.js`)));
  expect(loaded.filter((name) => names.includes(name))).toEqual([]);
}
