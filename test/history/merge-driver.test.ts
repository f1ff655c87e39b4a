import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseScopePath } from "../../src/secret/address.ts";
import { printScopeFile } from "../../src/store/scope-file.ts";
import { runCli, type CliResult } from "../support/run-cli.ts";
import { makeEntries, makeRecord } from "./made-records.ts";

const scope = parseScopePath("dev/app");
const path = "secrets/dev/app.yaml";
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sealtree-merge-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The driver on bare files: no repository, no home, no key. */
async function drive(
  files: { readonly base?: string; readonly ours: string; readonly theirs: string },
  options: { readonly path?: string; readonly words?: readonly string[] } = {},
): Promise<CliResult> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  const words = ["merge-driver", "base", "ours", "theirs", options.path ?? path, ...(options.words ?? [])];
  return await runCli(words, { cwd: directory, env: { HOME: "/nonexistent" } });
}

function print(records: Readonly<Record<string, string>>): string {
  return printScopeFile(scope, makeEntries(records));
}

const readOurs = () => readFileSync(join(directory, "ours"), "utf8");

describe("merge-driver", () => {
  it.each([["missing", undefined] as const, ["empty", ""] as const])(
    "takes a base that is %s for an empty scope",
    async (_, base) => {
      const [a, b] = [makeRecord(1, 1), makeRecord(2, 1)];
      const files = { ours: print({ A: a }), theirs: print({ B: b }) };
      const result = await drive(base === undefined ? files : { ...files, base });
      expect([result.code, result.stdout, result.stderr]).toEqual([0, "", ""]);
      expect(readOurs()).toBe(print({ A: a, B: b }));
      expect(readdirSync(directory).filter((name) => name.startsWith("."))).toEqual([]);
    },
  );

  it("ends with 1 for a conflict, names the secret, and says so in JSON too", async () => {
    const files = {
      base: print({ A: makeRecord(1, 1) }),
      ours: print({ A: makeRecord(2, 1) }),
      theirs: print({ A: makeRecord(3, 1) }),
    };
    const result = await drive(files);
    expect([result.code, result.stdout]).toEqual([1, ""]);
    expect(result.stderr).toBe(
      `sealtree: conflict in ${path}: A was set on both sides\nsealtree: settle it: sealtree resolve; or keep one of each, remove the marker lines, then: git add ${path}\n`,
    );
    expect((await drive(files, { words: ["--json"] })).json()).toEqual({
      path,
      merged: false,
      conflicts: ["A"],
      taken_back: [],
      why: null,
    });
  });

  it.each([
    ["base", "the common ancestor"],
    ["ours", "our side"],
    ["theirs", "their side"],
  ] as const)("leaves ours as it is when %s cannot be read, without its content", async (broken, side) => {
    const good = print({ A: makeRecord(1, 1) });
    const files = {
      base: good,
      ours: print({ A: makeRecord(2, 1) }),
      theirs: good,
      [broken]: `${good}B: canary-value\n`,
    };
    const result = await drive(files);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`cannot merge ${path}: ${side}: ${path}:5: the line is not a sealed record`);
    expect(result.stdout + result.stderr).not.toContain("canary-value");
    expect(readOurs()).toBe(files.ours);
  });

  it("leaves ours as it is when the files are of another scope than the path says", async () => {
    const text = print({ A: makeRecord(1, 1) });
    const result = await drive({ base: text, ours: text, theirs: text }, { path: "secrets/prod/api.yaml" });
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining("sealed for dev/app, found at prod/api")]);
  });

  it.each([
    ["secrets/dev/app.rotation/A.yaml", "the rotation of dev/app/A went on on both sides"],
    ["policies/schema.yaml", "it is no file that sealtree merges"],
    ["policies/members/Bob.pub", "it is no file that sealtree merges"],
    ["secrets/Dev.yaml", "it is no file that sealtree merges"],
    ["../secrets/dev/app.yaml", "it is no file that sealtree merges"],
    ["policies/access.yaml", "our side: policies/access.yaml:1: the file is not a map"],
  ])("does not touch %s", async (other, why) => {
    const result = await drive({ base: "a\n", ours: "b\n", theirs: "c\n" }, { path: other });
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining(why)]);
    expect(readOurs()).toBe("b\n");
  });
});
