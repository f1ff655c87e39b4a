import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import { makeThrowAway } from "../support/throw-away.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const tsc = join(root, "node_modules/typescript/bin/tsc");

/** A folder with nothing but the packed tarball installed. */
let folder = "";
let repository: TestRepository;

beforeAll(async () => {
  const made = makeThrowAway("sealtree-pack-");
  for (const file of ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md"])
    cpSync(join(root, file), join(made, file));
  run(process.execPath, [join(root, "scripts/build.js"), "--to", join(made, "dist")], root);
  run("npm", ["pack", "--ignore-scripts"], made);
  const tarball = readdirSync(made).find((name) => name.endsWith(".tgz")) ?? "";
  folder = makeThrowAway("sealtree-consumer-");
  writeFileSync(join(folder, "package.json"), '{"name": "consumer", "private": true, "type": "module"}\n');
  run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", join(made, tarball)], folder);
  repository = await createSealedRepository();
  await repository.ok(["set", "prod/api/KEY", "--stdin"], { stdin: "the-test-value" });
}, 300_000);

describe("the packed library", () => {
  it("is typed for strict programs, in Node's and in bundlers' way of finding modules", () => {
    write("typed.ts", typedProgram);
    const strict = [
      "--strict",
      "--noEmit",
      "--exactOptionalPropertyTypes",
      "--noUncheckedIndexedAccess",
      "--target",
      "es2023",
    ];
    for (const way of [
      ["--module", "nodenext", "--moduleResolution", "nodenext"],
      ["--module", "preserve", "--moduleResolution", "bundler"],
    ])
      expect(run(process.execPath, [tsc, ...strict, ...way, "--types", "", "--lib", "es2023", "typed.ts"])).toBe("");
  });

  it("refuses a program that takes a secret for its text", () => {
    write(
      "wrong.ts",
      'import { getSecret } from "sealtree";\nexport const text: string = await getSecret("prod/api/KEY");\n',
    );
    const module = ["--module", "nodenext", "--target", "es2023", "--types", "", "--lib", "es2023"];
    expect(() => run(process.execPath, [tsc, "--strict", "--noEmit", ...module, "wrong.ts"])).toThrow(/TS2322/);
  });

  it("works in plain JavaScript, by import and by require", () => {
    write(
      "plain.js",
      'import { getSecret, resolve } from "sealtree";\nconst { key } = await resolve({ key: "is ${secret:prod/api/KEY}" });\nconsole.log(String(await getSecret("prod/api/KEY")), key);\n',
    );
    write(
      "plain.cjs",
      'require("sealtree").getSecret("prod/api/KEY").then((secret) => console.log(secret.revealText()));\n',
    );
    expect(runProgram("plain.js")).toBe("[redacted] is the-test-value\n");
    expect(runProgram("plain.cjs")).toBe("the-test-value\n");
  });

  it("does nothing when it is imported, and lets a program end that watches a secret", () => {
    write(
      "idle.js",
      'const before = process.getActiveResourcesInfo().length;\nawait import("sealtree");\nconsole.log(process.getActiveResourcesInfo().length - before);\n',
    );
    write(
      "watch.js",
      'import { openRepository } from "sealtree";\nconst repository = await openRepository();\nrepository.onRotated("prod/api/KEY", () => {});\nawait repository.getSecret("prod/api/KEY");\nconsole.log("end");\n',
    );
    expect(runProgram("idle.js", "/")).toBe("0\n");
    expect(runProgram("watch.js")).toBe("end\n");
  });

  it("touches no file in a cached read", () => {
    const trace = join(folder, "trace.txt");
    write("cached.js", cachedProgram);
    run(
      "strace",
      ["-f", "-e", "trace=%file,pread64,getdents64", "-o", trace, process.execPath, join(folder, "cached.js")],
      repository.root,
    );
    const text = readFileSync(trace, "utf8");
    const [, between = "none"] = /"\/cached-reads-begin".*\n([\s\S]*?).*"\/cached-reads-end"/.exec(text) ?? [];
    expect(text).toContain("prod/api.yaml");
    expect(between).toBe("");
  });
});

const typedProgram = `import { getSecret, getSecrets, isSealtreeError, openRepository, resolve, SealtreeError } from "sealtree";
import type { CacheOptions, ErrorCode, Health, Metrics, OpenOptions, Repository, Secret } from "sealtree";

const cache: CacheOptions = { ttlMs: 1000 };
const options: OpenOptions = { environment: "production", cache, identities: [{ file: "key.txt" }, { text: "" }] };
const repository: Repository = await openRepository(options);
const secret: Secret = await getSecret("prod/api/KEY");
export const text: string = secret.revealText();
export const bytes: Uint8Array = secret.revealBytes();
export const all: ReadonlyMap<string, Secret> = await getSecrets("prod/api");
const resolved = await resolve({ port: 80, url: "\${secret:prod/api/KEY}", list: ["a"] as const });
export const port: number = resolved.port;
export const first: "a" = resolved.list[0];
export const health: Health = repository.health();
export const metrics: Metrics = repository.metrics();
const stop: () => void = repository.onRotated("prod/api/KEY", (address: string) => address.length);
stop();
await repository.close();
export function codeOf(error: unknown): ErrorCode | undefined {
  return isSealtreeError(error) && error instanceof SealtreeError ? error.code : undefined;
}
`;

const cachedProgram = `import { existsSync } from "node:fs";
import { openRepository } from "sealtree";
const repository = await openRepository();
await repository.getSecret("prod/api/KEY");
await repository.getSecret("prod/api/KEY");
existsSync("/cached-reads-begin");
for (let index = 0; index < 1000; index += 1) await repository.getSecret("prod/api/KEY");
existsSync("/cached-reads-end");
`;

function write(name: string, text: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), text);
}

/** Runs a program of the folder in the repository. */
function runProgram(name: string, directory = repository.root): string {
  return run(process.execPath, [join(folder, name)], directory);
}

function run(program: string, args: readonly string[], cwd = folder): string {
  const env = { ...process.env, ...repository?.env, SEALTREE_AUDIT: "off" };
  try {
    return execFileSync(program, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const said =
      error instanceof Error && "stdout" in error && "stderr" in error
        ? `${String(error.stdout)}${String(error.stderr)}`
        : "";
    throw new Error(`${program} ${args.join(" ")} failed\n${said}`, { cause: error });
  }
}
