import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { createSealedRepository, type TestRepository } from "../support/repository.ts";
import type { CliResult } from "../support/run-cli.ts";

interface JsonFinding {
  readonly kind: string;
  readonly rule: string;
  readonly addresses: readonly string[];
  readonly encoding: string | null;
  readonly file: string;
  readonly line: number | null;
  readonly commit: string | null;
  readonly hint: string;
}

interface JsonScan {
  readonly findings: readonly JsonFinding[];
  readonly files: number;
  readonly values: number;
  readonly passed_over: number;
  readonly closed: readonly string[];
}

const value = "test-value-7Hk29dkQ-scan";
const address = "dev/app/API_KEY";
let repository: TestRepository;

beforeEach(async () => {
  repository = await createSealedRepository();
  await repository.ok(["set", address, "--stdin"], { stdin: value });
});

async function scan(...args: string[]): Promise<JsonScan & { readonly code: number }> {
  const result = await repository.run(["scan", "--json", ...args]);
  expect(result.stdout + result.stderr).not.toContain(value);
  return { ...result.json<JsonScan>(), code: result.code };
}

/** `file:line rule` of every finding. */
function places({ findings }: JsonScan): string[] {
  return findings.map(({ file, line, rule }) => `${file}:${line ?? "name"} ${rule}`);
}

function commitAll(message: string): string {
  repository.git("add", "--all");
  repository.git("commit", "--quiet", "--message", message);
  return repository.git("rev-parse", "HEAD").trim();
}

describe("scan of the work tree", () => {
  it("finds nothing in a repository that only has sealed values", async () => {
    expect(await scan()).toMatchObject({ code: 0, findings: [], values: 1, passed_over: 0 });
  });

  it("finds tracked and untracked files, with CRLF, binary, and in their names, and not ignored ones", async () => {
    repository.write("tracked.txt", `a\r\nkey = ${value}\r\n`);
    commitAll("test: a leak");
    repository.write("sub dir/é.bin", Buffer.concat([Buffer.from([0, 255, 10, 10]), Buffer.from(value)]));
    repository.write(`${value}.txt`, "nothing");
    repository.write(".gitignore", "dist/\n");
    repository.write("dist/app.js", Buffer.from(value).toString("base64"));
    expect(places(await scan())).toEqual([
      "[masked].txt:name own-value",
      "sub dir/é.bin:3 own-value",
      "tracked.txt:2 own-value",
    ]);
    expect(places(await scan("--ignored"))).toContain("dist/app.js:1 own-value");
    expect(places(await scan("dist"))).toEqual(["dist/app.js:1 own-value"]);
  });

  it("says what to do, in words, and exits with 1", async () => {
    repository.write("src/config.ts", `export const key = "${value}";\n`);
    const { code, stdout, stderr } = await repository.run(["scan"]);
    expect(code).toBe(1);
    expect(stdout).toBe(`src/config.ts\n  1:21  own-value  ${address}  sealtree rotate ${address}\n`);
    expect(stderr).toMatch(/^1 finding in 1 file; searched \d+ files \(.+\) for 1 value and \d+ shapes of tokens\n$/);
  });

  it("follows no symbolic link, and reads no sealed file and no folder of git", async () => {
    const outside = join(repository.root, "..", "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "leak.txt"), value);
    symlinkSync(outside, join(repository.root, "link"));
    symlinkSync(join(outside, "leak.txt"), join(repository.root, "leak.txt"));
    repository.write("real/leak.txt", value);
    repository.git("add", "--all");
    renameSync(join(repository.root, "real"), join(outside, "real"));
    symlinkSync(join(outside, "real"), join(repository.root, "real"));
    repository.write(`secrets/dev/app.keys/${"0".repeat(32)}.yaml`, value);
    writeFileSync(join(repository.root, ".git/description"), value);
    expect((await scan()).findings).toEqual([]);
    expect((await scan(".")).findings).toEqual([]);
    expect(places(await scan("leak.txt"))).toEqual([`${join(outside, "leak.txt")}:1 own-value`]);
  });

  it("reads a file in pieces and finds what lies across them", async () => {
    const filler = Buffer.alloc(4 * 1024 * 1024 - 10, "filler\n");
    repository.write("large.bin", Buffer.concat([filler, Buffer.from(value), filler, Buffer.from(`\n${value}`)]));
    const lines = (await scan()).findings.map(({ line }) => line);
    const ends = filler.filter((byte) => byte === 10).length;
    expect(lines).toEqual([ends + 1, 2 * ends + 2]);
  });

  it("leaves out what is excluded, and what its line allows", async () => {
    repository.write("vendor/a/leak.js", value);
    repository.write("build/app.js.map", value);
    repository.write("doc.md", `${value} <!-- sealtree:allow -->\n`);
    expect(await scan("--exclude", "vendor/", "*.map")).toMatchObject({ code: 0, findings: [], allowed: 1 });
    expect(places(await scan("--exclude", "build/**"))).toEqual(["vendor/a/leak.js:1 own-value"]);
  });

  it("passes over short and common values, and takes others by scope", async () => {
    await repository.ok(["set", "dev/app/FLAG", "--stdin"], { stdin: "true" });
    await repository.ok(["set", "prod/api/KEY", "--stdin"], { stdin: "test-other-4Lw83" });
    repository.write("a.txt", `true ${value} test-other-4Lw83`);
    expect(await scan()).toMatchObject({ values: 2, passed_over: 1, findings: [{}, {}] });
    expect(await scan("--scope", "prod/**")).toMatchObject({ values: 1, findings: [{ addresses: ["prod/api/KEY"] }] });
    expect(await scan("--min-length", "20")).toMatchObject({ values: 1, passed_over: 2, findings: [{}] });
  });

  it("says which files it could not read", async () => {
    repository.write("closed.txt", value);
    chmodSync(join(repository.root, "closed.txt"), 0);
    const found = await scan();
    const unread = [{ file: "closed.txt", why: "cannot be read (EACCES)" }];
    expect(found).toMatchObject(process.getuid?.() === 0 ? { code: 1 } : { code: 0, unread });
  });

  it("says which scopes it could not open", async () => {
    repository.write("secrets/dev/broken.yaml", `API_KEY: ${value}\n`);
    repository.write("a.txt", value);
    const { code, stderr } = await repository.run(["scan"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/warning: secrets\/dev\/broken\.yaml/);
    expect(stderr).not.toContain(value);
  });

  it("searches for tokens alone without an identity, and says so", async () => {
    repository.write("a.txt", `${value}\n${"gh"}p_aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5\n`);
    const env = { HOME: join(repository.root, "..", "nobody"), SEALTREE_SSH_KEY: "off" };
    const { code, stdout, stderr } = await repository.run(["scan"], { env });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^a\.txt\n {2}2:1 {2}github-token {2}looks like a GitHub token\n$/);
    expect(stderr).toContain("no identity, so only token shapes are searched");
    expect(stderr).toContain("tokens: revoke it at its provider");
  });

  it("prints annotations and SARIF", async () => {
    repository.write("src/a,b.ts", `x\n key = "${value}"`);
    const github = (await repository.run(["scan", "--format", "github"])).stdout;
    expect(github).toBe(
      `::error file=src/a%2Cb.ts,line=2,col=9,title=sealtree own-value::the value of ${address}%0Asealtree rotate ${address}\n`,
    );
    const [run] = (await repository.run(["scan", "--sarif"])).json<{ runs: readonly object[] }>().runs;
    expect(run).toMatchObject({
      results: [
        {
          ruleId: "own-value",
          level: "error",
          locations: [{ physicalLocation: { region: { startLine: 2, startColumn: 9 } } }],
        },
      ],
    });
  });

  it("refuses two things to search, and what is no number, pattern or format", async () => {
    const lines = [
      ["--staged", "--history"],
      ["--staged", "--", "src"],
      ["--staged", "--ignored"],
      ["--min-length", "x"],
      ["--min-length", "1"],
      ["--scope", "A B"],
      ["--format", "xml"],
      ["--sarif", "--json"],
    ];
    for (const line of lines) expect([line, (await repository.run(["scan", ...line])).code]).toEqual([line, 2]);
  });

  it("names no path or revision that is not there", async () => {
    for (const args of [["no-such-file"], ["--history", "no-such-revision"], ["--history", "a..b"]]) {
      const { code, stderr } = await repository.run(["scan", ...args]);
      expect([code, stderr.includes("no-such")]).toEqual([4, false]);
    }
  });
});

describe("scan --staged", () => {
  it("searches what is staged as it is staged, and nothing else", async () => {
    repository.write("old.txt", value);
    commitAll("test: an old leak");
    repository.write("staged.txt", value);
    repository.git("add", "staged.txt");
    repository.write("staged.txt", "clean again");
    repository.write("untracked.txt", value);
    expect(places(await scan("--staged"))).toEqual(["staged.txt:1 own-value"]);
  });

  it("works before the first commit", async () => {
    rmSync(join(repository.root, ".git"), { recursive: true });
    repository.git("init", "--quiet");
    repository.write("first.txt", value);
    repository.git("add", "--all");
    expect(places(await scan("--staged"))).toEqual(["first.txt:1 own-value"]);
    expect(await scan("--history")).toMatchObject({ code: 0, files: 0 });
  });
});

describe("scan --history", () => {
  it("finds deleted and renamed files and other branches, each content once, with the first commit that has it", async () => {
    repository.write("gone.txt", `a\n${value}`);
    const first = commitAll("test: a leak");
    repository.git("mv", "gone.txt", "renamed.txt");
    commitAll("test: a rename");
    repository.git("rm", "--quiet", "renamed.txt");
    const last = commitAll("test: a removal");
    repository.git("switch", "--quiet", "--create", "other");
    repository.write("other.bin", Buffer.concat([Buffer.alloc(20), Buffer.from(Buffer.from(value).toString("hex"))]));
    commitAll("test: another leak");
    repository.git("switch", "--quiet", "main");
    const found = await scan("--history");
    expect(places(found)).toEqual(["gone.txt:2 own-value", "other.bin:1 own-value"]);
    expect(found.findings[0]).toMatchObject({ commit: first, addresses: [address] });
    expect(places(await scan("--history", "HEAD"))).toEqual(["gone.txt:2 own-value"]);
    expect(await scan("--history", `${first}..${last}`)).toMatchObject({ code: 0, findings: [] });
    expect(places(await scan("--history", `${first}..other`))).toEqual(["other.bin:1 own-value"]);
  });

  it("says that taking it out of the history does not help", async () => {
    repository.write("gone.txt", value);
    const commit = commitAll("test: a leak");
    const { stdout, stderr } = (await repository.run(["scan", "--history"])) satisfies CliResult;
    expect(stdout).toContain(`gone.txt  since ${commit.slice(0, 9)}`);
    expect(stderr).toContain("taking it out of the history does not take it back");
  });

  it("looks for values of earlier versions when asked", async () => {
    repository.write("a.txt", value);
    await repository.ok(["set", address, "--stdin"], { stdin: "test-other-4Lw83" });
    await repository.ok(["rekey", "dev/app", "--yes"]);
    expect((await scan()).findings).toEqual([]);
    expect(await scan("--all-versions")).toMatchObject({
      values: 2,
      findings: [{ rule: "earlier-value", addresses: [address], file: "a.txt" }],
    });
  });
});
