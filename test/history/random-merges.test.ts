import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseRecordHeader } from "../../src/crypto/record.ts";
import { installDrivers, planAttributes } from "../../src/history/git-setup.ts";
import { mergeContent } from "../../src/history/merge-content.ts";
import { mergeScopeFile } from "../../src/history/merge-scope-file.ts";
import { settleMarkers } from "../../src/history/yaml-conflict.ts";
import { splitConflicts } from "../../src/history/conflict-text.ts";
import { parseScopeFile } from "../../src/store/scope-file.ts";
import { memoryTree } from "../access/memory-tree.ts";
import { createRepository } from "../support/repository.ts";
import { builtBin } from "../support/run-cli.ts";
import { branches, modelMerge, paths, printState, scope, type Model } from "./made-states.ts";

/** More of them: TEST_MERGES=10000. */
const numRuns = Number(process.env["TEST_MERGES"] ?? 100);
const gitRuns = Math.ceil(numRuns / 10);
const seed = Number(process.env["TEST_SEED"] ?? Date.now());

/** What the merged files say, without what is between conflict markers, and what is in conflict where. */
function readMerge(files: Readonly<Record<string, string>>, conflicts: Model["conflicts"]): Model {
  const text = (path: string) => files[path] ?? "";
  // An entry that both have in another way is taken out again below.
  const [policy, rotation] = [paths.policy, paths.rotation].map((path) => parse(settleMarkers(text(path), "ours")));
  const { grants } = policy.roles.dev as { grants: { scopes: string[] }[] };
  const entries = parseScopeFile(Buffer.from(splitConflicts(text(paths.scope)).text), scope);
  const isOpen = (path: string, name: string) => conflicts[path]?.includes(name) === true;
  const kept = <T>(path: string, prefix: string, map: Readonly<Record<string, T>>) =>
    Object.entries(map).filter(([name]) => !isOpen(path, prefix + name));
  const days = (removal: { at: string }) => Number(removal.at.slice(-1));
  return {
    values: Object.fromEntries(
      [...entries].map(([name, { record }]) => [name, Number.parseInt(parseRecordHeader(record).valueId, 16)]),
    ),
    keys: text(paths.member).trim().split("\n").toSorted(),
    version: policy.version,
    members: Object.fromEntries(
      kept<{ roles: string[] }>(paths.policy, "members.", policy.members)
        .filter(([name]) => name !== "alice")
        .map(([name, { roles }]) => [name, roles[0] ?? ""]),
    ),
    grants: isOpen(paths.policy, "roles.dev")
      ? undefined
      : grants
          .slice(1)
          .map(({ scopes }) => scopes[0]?.[0] ?? "")
          .toSorted(),
    removed: Object.fromEntries(
      Object.entries<{ at: string }>(policy.removed)
        .filter(([name]) => name !== "first")
        .map(([name, removal]) => [name, days(removal)]),
    ),
    rules: Object.fromEntries(
      kept<{ interval: string }>(paths.rotation, "secrets.", rotation.secrets)
        .filter(([address]) => address !== "dev/app/Z")
        .map(([address, { interval }]) => [address.slice(-1), Number.parseInt(interval, 10)]),
    ),
    readers: isOpen(paths.generation, paths.generation)
      ? undefined
      : Object.keys(parse(text(paths.generation)).wrapped_for).toSorted(),
    conflicts,
  };
}

/** All files through the merge functions, as the driver calls them. */
async function mergeInProcess([base, ours, theirs]: readonly Readonly<Record<string, string>>[]): Promise<Model> {
  const files: Record<string, string> = {};
  const conflicts: Record<string, readonly string[]> = {};
  for (const path of Object.values(paths)) {
    const [was, mine, yours] = [base, ours, theirs].map((side) => Buffer.from(side?.[path] ?? ""));
    const sides = { base: was, ours: mine, theirs: yours };
    if (path === paths.scope) {
      const merged = mergeScopeFile(scope, sides);
      files[path] = merged.text;
      if (merged.conflicts.length > 0) conflicts[path] = merged.conflicts.map(({ name }) => name);
      continue;
    }
    const content = await mergeContent(path, sides);
    files[path] = content.kind === "unmerged" ? String(mine) : (content.text ?? "");
    if (content.kind === "conflict") conflicts[path] = content.clashes.map(({ name }) => name).toSorted();
    if (content.kind === "unmerged") conflicts[path] = [path];
  }
  return readMerge(files, conflicts);
}

const sortLists = (model: Model): Model => ({
  ...model,
  conflicts: Object.fromEntries(Object.entries(model.conflicts).map(([path, names]) => [path, names.toSorted()])),
});

describe(`${numRuns} random merges`, () => {
  const time = { timeout: 30_000 + numRuns * 20 };

  it("are what the model says, and in conflict on exactly what both sides changed", time, async () => {
    await fc.assert(
      fc.asyncProperty(branches, async ({ base, ours, theirs }) => {
        const merged = await mergeInProcess([base, ours, theirs].map(printState));
        expect(sortLists(merged)).toEqual(sortLists(modelMerge(base, ours, theirs)));
      }),
      { numRuns },
    );
  });

  it(
    `are the same when git makes ${gitRuns} of them with the driver`,
    async () => {
      const repository = createRepository();
      const place = { root: repository.root, env: { PATH: process.env["PATH"], ...repository.env } };
      await installDrivers(place, [process.execPath, builtBin]);
      const attributes = (await planAttributes(memoryTree({})))?.bytes;
      const samples = fc.sample(branches, { numRuns: gitRuns, seed });
      const history = samples.flatMap(({ base, ours, theirs }, index) => [
        printCommit(`base-${index}`, undefined, { ".gitattributes": String(attributes), ...printState(base) }),
        printCommit(`ours-${index}`, `base-${index}`, printState(ours)),
        printCommit(`theirs-${index}`, `base-${index}`, printState(theirs)),
      ]);
      const env = { PATH: process.env["PATH"] ?? "", ...repository.env };
      const run = (...args: string[]) => execFileSync("git", args, { cwd: repository.root, env, stdio: "pipe" });
      execFileSync("git", ["fast-import", "--quiet"], { cwd: repository.root, env, input: history.join("") });
      for (const [index, { base, ours, theirs }] of samples.entries()) {
        run("checkout", "--quiet", "--force", "--detach", `ours-${index}`);
        let said = "";
        try {
          run("merge", "--quiet", "--no-edit", `theirs-${index}`);
        } catch (error) {
          said = (error as { stderr: Buffer }).stderr.toString("utf8");
        }
        const conflicts: Record<string, string[]> = {};
        for (const [, path = "", name = ""] of said.matchAll(/^sealtree: conflict in (\S+): (\S+) /gm))
          (conflicts[path] ??= []).push(name);
        for (const [, path = ""] of said.matchAll(/^sealtree: cannot merge (\S+): /gm)) conflicts[path] = [path];
        const unmerged = new Set(
          String(run("diff", "--name-only", "--diff-filter=U"))
            .split("\n")
            .filter(Boolean),
        );
        const files = Object.fromEntries(Object.values(paths).map((path) => [path, repository.read(path)]));
        const expected = modelMerge(base, ours, theirs);
        expect([...unmerged].toSorted(), `merge ${index} of TEST_SEED=${seed}`).toEqual(
          Object.keys(expected.conflicts).toSorted(),
        );
        expect(sortLists(readMerge(files, conflicts)), `merge ${index} of TEST_SEED=${seed}`).toEqual(
          sortLists(expected),
        );
      }
    },
    60_000 + gitRuns * 2000,
  );
});

/** A commit with exactly these files, for git fast-import. */
function printCommit(tag: string, parent: string | undefined, files: Readonly<Record<string, string>>): string {
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const from = parent === undefined ? "" : `from refs/tags/${parent}\n`;
  const changes = Object.entries(files).map(([path, text]) => `M 100644 inline ${path}\n${data(text)}`);
  return `commit refs/tags/${tag}\ncommitter Alice Example <alice@example.test> 1700000000 +0000\n${data(tag)}${from}${changes.join("")}\n`;
}
