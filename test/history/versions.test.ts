import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { listScopeChanges } from "../../src/history/scope-log.ts";
import { findPrevious, listVersions } from "../../src/history/versions.ts";
import { parseAddress } from "../../src/secret/address.ts";
import { printScopeFile } from "../../src/store/scope-file.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";
import { makeEntries, makeRecord } from "./made-records.ts";

const address = parseAddress("dev/app/A");

type Step = Readonly<Record<string, string>> | "not a scope file" | "no file";

/** A repository with one commit a step, made by one git process. */
function createHistory(steps: readonly Step[]): TestRepository {
  const repository = createRepository();
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const commits = steps.map((step, index) => {
    const path = "secrets/dev/app.yaml";
    const text = typeof step === "string" ? step : printScopeFile(address.scope, makeEntries(step));
    const change = step === "no file" ? `D ${path}\n` : `M 100644 inline ${path}\n${data(text)}`;
    const who = `committer Alice Example <alice@example.test> ${1_700_000_000 + index} +0000\n`;
    return `commit refs/heads/main\n${who}${data(`step ${index + 1}\n`)}${change}\n`;
  });
  execFileSync("git", ["fast-import", "--quiet"], { cwd: repository.root, input: commits.join("") });
  repository.git("reset", "--quiet", "--hard");
  return repository;
}

const placeOf = ({ root, env }: TestRepository) => ({ root, env: { PATH: process.env["PATH"], ...env } });

describe("listVersions", () => {
  it("counts 300 commits", async () => {
    const others = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`K${index}`, makeRecord(1000 + index, 1)]),
    );
    const repository = createHistory(
      Array.from({ length: 300 }, (_, index) => ({ ...others, A: makeRecord(index, 1) })),
    );
    const { versions } = await listVersions(placeOf(repository), address);
    expect(versions).toHaveLength(300);
    expect(versions[299]).toMatchObject({ version: 300, subject: "step 300", isCurrent: true });
    expect((await listScopeChanges(placeOf(repository), address.scope)).commits).toHaveLength(300);
  });

  it("takes a removed file for a removal, and the next value for a new version", async () => {
    const repository = createHistory([{ A: makeRecord(1, 1) }, "no file", { A: makeRecord(1, 2) }]);
    const { versions } = await listVersions(placeOf(repository), address);
    expect(versions.map(({ version, valueId, sameAs }) => [version, valueId === undefined, sameAs])).toEqual([
      [1, false, undefined],
      [2, true, undefined],
      [3, false, 1],
    ]);
  });

  it("passes over a commit that cannot be read, as if it had changed nothing", async () => {
    const repository = createHistory([
      { A: makeRecord(1, 1) },
      "not a scope file",
      { A: makeRecord(1, 1), B: "st1.AQ" },
      { A: makeRecord(2, 1) },
    ]);
    const { versions, warnings } = await listVersions(placeOf(repository), address);
    expect(versions.map(({ subject }) => subject)).toEqual(["step 1", "step 4"]);
    expect(warnings).toHaveLength(1);
    const log = await listScopeChanges(placeOf(repository), address.scope);
    expect(log.commits.map(({ subject, set }) => [subject, set])).toEqual([
      ["step 1", ["A"]],
      ["step 4", ["A"]],
    ]);
    expect(log.warnings[1]).toContain("dev/app/B: the record is malformed");
  });

  it("has no versions before the first commit, and the work tree's value beside them", async () => {
    const repository = createRepository();
    expect(await listVersions(placeOf(repository), address)).toEqual({
      versions: [],
      uncommitted: undefined,
      warnings: [],
    });
    repository.write("secrets/dev/app.yaml", printScopeFile(address.scope, makeEntries({ A: makeRecord(7, 1) })));
    expect((await listVersions(placeOf(repository), address)).uncommitted).toEqual({
      valueId: "0000000000000007",
      setAt: 1_700_000_007,
    });
  });
});

describe("findPrevious", () => {
  it.each([
    ["the one before", [1, 2, 3], 2],
    ["the one before a rollback", [1, 2, 1], 2],
    ["the value that was removed", [1, 2, undefined], 2],
    ["nothing for the first", [1], undefined],
  ])("is %s", async (_, values, expected) => {
    const repository = createHistory(values.map((value) => (value === undefined ? {} : { A: makeRecord(value, 1) })));
    expect(findPrevious(await listVersions(placeOf(repository), address))?.version).toBe(expected);
  });

  it("is the committed value when the work tree has another", async () => {
    const repository = createHistory([{ A: makeRecord(1, 1) }, { A: makeRecord(2, 1) }]);
    repository.write("secrets/dev/app.yaml", printScopeFile(address.scope, makeEntries({ A: makeRecord(3, 1) })));
    expect(findPrevious(await listVersions(placeOf(repository), address))?.version).toBe(2);
  });
});
