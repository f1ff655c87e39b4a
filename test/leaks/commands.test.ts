import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/program.ts";
import { exitCodes } from "../../src/errors.ts";
import { findCanaries, findCanaryFiles, findCanaryObjects } from "../support/canary.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";
import type { CliResult } from "../support/run-cli.ts";
import { canaries, commandLines, stored, typed, type CommandLine } from "./command-lines.ts";

const outer = process.env["TMPDIR"];
const temporary = mkdtempSync(join(tmpdir(), "sealtree-leaks-"));
const timeoutMs = 120_000;
let repository: TestRepository;
let recipient: string;
/** Lines of one repository run one after another, in the order of the table. */
const all = Object.entries(commandLines).flatMap(([name, lines]) => lines.map((line) => ({ name, line })));

beforeAll(async () => {
  process.env["TMPDIR"] = temporary;
  repository = createRepository();
  await repository.ok(["keygen", "--x25519"]);
  recipient = (await repository.ok(["keygen", "--x25519", "-o", "../bob.key"])).stdout.trim();
  await repository.ok(["init", "--yes"]);
  await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-value-first" });
  const outside = join(repository.root, "..");
  copyFileSync(join(repository.root, "secrets/dev/app.yaml"), join(outside, "sealed.yaml"));
  writeFileSync(
    join(outside, "template.yaml"),
    "version: 1\nscopes:\n  ${env}/app:\n    ASKED: { prompt: what it is }\n",
  );
  writeFileSync(join(outside, "plain.yaml"), `$sealtree: 1\n$scope: dev/app\n\nAPI_KEY: ${stored[0]}\n`);
});

afterAll(() => {
  if (outer === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = outer;
  rmSync(temporary, { recursive: true, force: true });
});

describe("every command", () => {
  it("is in the table of this test", () => {
    expect(Object.keys(commandLines).toSorted()).toEqual(Object.keys(commands).toSorted());
  });

  it(
    "shows no stored value, in words or as JSON, but through its door",
    async () => {
      const leaks: string[] = [];
      for (const { name, line } of all) {
        const result = await runLine(line);
        expect({ name, code: result.code, stderr: result.stderr }).toMatchObject({ name, code: line.code ?? 0 });
        if (line.isDoor === true) expect(findCanaries(result.stdout, canaries)).not.toEqual([]);
        for (const each of [result, await runLine({ ...line, argv: ["--json", ...line.argv] })]) {
          leaks.push(...leaksOf(line.argv, each, line.isDoor === true ? [each.stderr] : [each.stdout, each.stderr]));
        }
      }
      expect(leaks).toEqual([]);
    },
    timeoutMs,
  );

  it(
    "never repeats a value that was typed in a wrong place",
    async () => {
      const leaks: string[] = [];
      for (const argv of [...(await typedLines()), [typed], ["help", typed], ["-C", typed, "list"], [`--${typed}`]]) {
        for (const words of [argv, ["--json", ...argv]]) {
          const result = await runLine({ argv: words, stdin: "", env: { EDITOR: "true" } });
          leaks.push(...leaksOf(words, result, [result.stdout, result.stderr]));
          expect(result.code).not.toBe(exitCodes.bug);
        }
      }
      expect(leaks).toEqual([]);
    },
    timeoutMs,
  );

  it(
    "never repeats a plaintext value that stands in a scope file, or a broken identity",
    async () => {
      const lines = [
        ["get", "dev/broken/API_KEY"],
        ["get", "dev/broken/API_KEY", "--reveal", "--yes"],
        ["list", "dev/broken"],
        ["list"],
        ["set", "dev/broken/OTHER", "--stdin"],
        ["edit", "dev/broken"],
        ["export", "dev/broken", "--yes"],
        ["decrypt", "dev/broken", "--yes"],
        ["run", "dev/broken", "--", "true"],
        ["mv", "dev/broken", "dev/mended", "--yes"],
        ["unset", "dev/broken/API_KEY", "--yes"],
        ["rekey", "dev/broken", "--yes"],
        ["rotate", "dev/broken", "--yes"],
        ["rollback", "dev/broken/API_KEY", "--to", "1", "--yes"],
        ...["log", "check", "status", "doctor", "audit"].map((name) =>
          name === "log" ? [name, "dev/broken"] : [name],
        ),
      ];
      const path = "secrets/dev/broken.yaml";
      repository.write(path, `$sealtree: 1\n$scope: dev/broken\n\nAPI_KEY: ${stored[0]}\n`);
      const leaks: string[] = [];
      for (const argv of lines) {
        for (const words of [argv, ["--json", ...argv]]) {
          for (const env of [{}, { SEALTREE_IDENTITY: `${stored[0]}\nAGE-SECRET-KEY-1${stored[0]}` }]) {
            const result = await runLine({ argv: words, stdin: "test-value-other", env: { EDITOR: "cat", ...env } });
            leaks.push(...leaksOf(words, result, [result.stdout, result.stderr]));
          }
        }
      }
      rmSync(join(repository.root, path));
      expect(leaks).toEqual([]);
    },
    timeoutMs,
  );

  it("has left no value in a file, an object of git, a log or memory", () => {
    const inputs = ["plain.yaml", "points"].map((name) => join(repository.root, "..", name));
    expect(existsSync(join(repository.home, ".local/state/sealtree/audit.jsonl"))).toBe(true);
    expect(findCanaryFiles([temporary], canaries, (path) => inputs.includes(path))).toEqual([]);
    expect(findCanaryObjects(repository.root, canaries)).toEqual([]);
    const memory = existsSync("/dev/shm") ? readdirSync("/dev/shm") : [];
    expect(memory.filter((name) => name.startsWith(`sealtree-edit-${process.pid}-`))).toEqual([]);
  });
});

function runLine(line: CommandLine): Promise<CliResult> {
  const argv = line.argv.map((word) => (word === "RECIPIENT" ? recipient : word));
  return repository.run(argv, { ...(line.stdin === undefined ? {} : { stdin: line.stdin }), env: { ...line.env } });
}

function leaksOf(argv: readonly string[], result: CliResult, outputs: readonly string[]): string[] {
  return outputs
    .flatMap((output) => findCanaries(output, canaries))
    .map((what) => `${argv.join(" ").slice(0, 60)} (${result.code}): ${what}`);
}

/** Each command with the typed value as an argument, as one too many, as an option and as each option's value. */
async function typedLines(): Promise<string[][]> {
  const lines: string[][] = [];
  // A person's own words and file names are said back: they are no place for a value.
  const spoken = /--(?:reason|output|keep)\b/;
  for (const [name, [good]] of Object.entries(commandLines)) {
    const words = name.split(" ");
    const module = await commands[name]?.load();
    const argv = (good?.argv ?? []).filter((word) => word !== "--yes");
    const end = argv.indexOf("--") < 0 ? argv.length : argv.indexOf("--");
    const insert = (...extra: string[]) => lines.push([...argv.slice(0, end), ...extra, ...argv.slice(end)]);
    insert(typed);
    insert(`--value=${typed}`);
    insert(`--${typed}`);
    lines.push([...words, typed], [...words, `dev/app/API_KEY=${typed}`], [...words, "dev/app/API_KEY", typed]);
    for (const { flags } of module?.options ?? []) {
      const flag = /--[a-z-]+(?= <)/.exec(flags)?.[0];
      if (flag !== undefined && !spoken.test(flag)) insert(flag, typed);
    }
    if (module?.kind === "read") insert("--at", typed);
  }
  return lines;
}
