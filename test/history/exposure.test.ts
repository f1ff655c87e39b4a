import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Policy } from "../../src/access/policy.ts";
import { findExposure, type Exposure } from "../../src/history/exposure.ts";
import { listPastReaders } from "../../src/history/past-readers.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { openWorkTree } from "../../src/store/work-tree.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";
import {
  generationFile,
  makeHistory,
  placeOf,
  scopeFile,
  testFingerprint,
  valueIdOf,
  type MadeCommit,
} from "./made-history.ts";

/** A policy without anybody. */
const emptyPolicy: Policy = {
  version: 1,
  postQuantum: "off",
  signing: "off",
  members: new Map(),
  roles: new Map(),
  recovery: new Map(),
  removed: new Map(),
  removedKeys: new Map(),
};

async function exposureOf(
  repository: TestRepository,
  name: string,
  options: { readonly from?: string | undefined; readonly allRefs?: boolean } = {},
): Promise<Exposure> {
  return await findExposure(placeOf(repository), {
    who: { name },
    policy: emptyPolicy,
    tree: openWorkTree(repository.root),
    from: options.from ?? repository.git("rev-parse", "HEAD").trim(),
    allRefs: options.allRefs ?? false,
  });
}

/** A repository whose work tree is as the last of the commits. */
function createHistory(commits: readonly MadeCommit[]): { repository: TestRepository; ids: string[] } {
  const repository = createRepository();
  const ids = makeHistory(repository, commits);
  repository.git("reset", "--quiet", "--hard");
  return { repository, ids };
}

const addressesOf = ({ exposed }: Exposure) => exposed.map(({ scope, name }) => `${scope}/${name}`);

describe("findExposure", () => {
  it("names the first commit by which a value could be read, and the one that took the key away", async () => {
    const before = { ...scopeFile("dev/app", { A: [1, 1] }) };
    const { repository, ids } = createHistory([
      { files: { ...before, ...generationFile("dev/app", 1, ["alice"]) } },
      { files: { ...before, ...generationFile("dev/app", 1, ["alice"], ["alice", "bob"]) } },
      { files: { ...before, ...generationFile("dev/app", 1, ["alice"]) } },
      { files: { ...scopeFile("dev/app", { A: [1, 2] }), ...generationFile("dev/app", 2, ["alice"]) } },
    ]);
    const { exposed, rotatedSince, isComplete } = await exposureOf(repository, "bob");
    expect(exposed).toEqual([
      {
        scope: "dev/app",
        name: "A",
        valueId: valueIdOf(1),
        generation: expect.any(String),
        createdAt: 1_700_000_001,
        place: "commit",
        firstReadable: { commit: ids[1], at: "2023-11-14T22:13:21Z" },
        canStillRead: false,
        isStillWrapped: false,
        lost: { commit: ids[2], at: "2023-11-14T22:13:22Z" },
      },
    ]);
    expect({ rotatedSince, isComplete }).toEqual({ rotatedSince: 0, isComplete: true });
  });

  it("takes a value that got another id for rotated, and one that was only sealed again for exposed", async () => {
    const { repository } = createHistory([
      {
        files: { ...scopeFile("dev/app", { A: [1, 1], B: [2, 1] }), ...generationFile("dev/app", 1, ["alice", "bob"]) },
      },
      {
        files: {
          ...scopeFile("dev/app", { A: [1, 2], B: [3, 2] }),
          ...generationFile("dev/app", 1, ["alice", "bob"], ["alice"]),
          ...generationFile("dev/app", 2, ["alice"]),
        },
      },
    ]);
    const found = await exposureOf(repository, "bob");
    expect([addressesOf(found), found.rotatedSince]).toEqual([["dev/app/A"], 1]);
    expect(addressesOf(await exposureOf(repository, "alice"))).toEqual(["dev/app/A", "dev/app/B"]);
  });

  it("counts a reader who came after the value was sealed elsewhere, in whatever order", async () => {
    const keyring = generationFile("dev/app", 1, ["alice"]);
    const { repository } = createHistory([
      { files: { ...scopeFile("dev/app", { A: [1, 1] }), ...keyring } },
      { files: { ...scopeFile("dev/app", { A: [1, 2] }), ...keyring, ...generationFile("dev/app", 2, ["alice"]) } },
      {
        files: {
          ...scopeFile("dev/app", { A: [1, 2] }),
          ...generationFile("dev/app", 1, ["alice"], ["alice", "bob"]),
          ...generationFile("dev/app", 2, ["alice"]),
        },
      },
    ]);
    expect(addressesOf(await exposureOf(repository, "bob"))).toEqual(["dev/app/A"]);
  });

  it("follows a value that was moved to another scope", async () => {
    const keyring = { ...generationFile("dev/app", 1, ["bob"]), ...generationFile("prod/app", 2, ["alice"]) };
    const { repository } = createHistory([
      { files: { ...scopeFile("dev/app", { A: [1, 1] }), ...keyring } },
      { files: { ...scopeFile("prod/app", { MOVED: [1, 2] }), ...keyring } },
    ]);
    expect(addressesOf(await exposureOf(repository, "bob"))).toEqual(["prod/app/MOVED"]);
  });

  it("looks at a side of a merge that the merge threw away", async () => {
    const keyring = { ...generationFile("dev/app", 1, ["alice"]), ...generationFile("dev/app", 2, ["bob"]) };
    const kept = { ...scopeFile("dev/app", { A: [1, 1] }), ...keyring };
    const { repository } = createHistory([
      { files: kept },
      { files: { ...scopeFile("dev/app", { A: [1, 2] }), ...keyring } },
      { parents: [0, 1], files: kept },
    ]);
    expect(addressesOf(await exposureOf(repository, "bob"))).toEqual(["dev/app/A"]);
  });

  it("knows a key under another name", async () => {
    const list = `{robert: ["${testFingerprint("bob")}"]}`;
    const [path = "", text = ""] = Object.entries(generationFile("dev/app", 1, ["bob"]))[0] ?? [];
    const { repository } = createHistory([
      { files: { ...scopeFile("dev/app", { A: [1, 1] }), [path]: text } },
      { files: { ...scopeFile("dev/app", { A: [2, 2] }), [path]: text.replace(/(?<=minted_for: ).*/, list) } },
      {
        files: {
          ...scopeFile("dev/app", { A: [2, 2] }),
          ...Object.fromEntries(
            Object.entries(generationFile("dev/app", 2, ["carol"])).map(([other, it]) => [
              other,
              it.replaceAll(testFingerprint("carol"), testFingerprint("bob")),
            ]),
          ),
        },
      },
    ]);
    expect(addressesOf(await exposureOf(repository, "bob"))).toEqual(["dev/app/A"]);
  });

  it("takes in what is not committed", async () => {
    const { repository } = createHistory([
      { files: { ...scopeFile("dev/app", { A: [1, 1] }), ...generationFile("dev/app", 1, ["bob"]) } },
    ]);
    for (const [path, text] of Object.entries(scopeFile("dev/app", { A: [2, 1], B: [3, 1] })))
      repository.write(path, text);
    const { exposed } = await exposureOf(repository, "bob");
    expect(exposed.map(({ name, valueId, place, firstReadable }) => [name, valueId, place, firstReadable?.at])).toEqual(
      [
        ["A", valueIdOf(1), "commit", "2023-11-14T22:13:20Z"],
        ["A", valueIdOf(2), "work tree", undefined],
        ["B", valueIdOf(3), "work tree", undefined],
      ],
    );
  });

  it("reads other branches only when asked", async () => {
    const { repository } = createHistory([
      { files: { ...scopeFile("dev/app", { A: [1, 1] }), ...generationFile("dev/app", 1, ["alice"]) } },
    ]);
    makeHistory(repository, [{ files: generationFile("dev/app", 1, ["alice"], ["alice", "bob"]) }], "side");
    await expect(exposureOf(repository, "bob")).rejects.toMatchObject({ code: "E_MEMBER_NOT_FOUND" });
    expect(addressesOf(await exposureOf(repository, "bob", { allRefs: true }))).toEqual(["dev/app/A"]);
  });

  it("passes over old files that are broken, and says so", async () => {
    const good = { ...scopeFile("dev/app", { A: [1, 1] }), ...generationFile("dev/app", 1, ["bob"]) };
    const keyring = Object.keys(generationFile("dev/app", 1, ["bob"]))[0] ?? "";
    const path = "secrets/dev/app.yaml";
    const { repository } = createHistory([
      { files: { ...good, [path]: `${"A: st1.".repeat(5000)}\n: st1.AAAA\n\u0000A: st1` } },
      { files: { ...good, [keyring]: `minted_for: {${"a: [".repeat(5000)}` } },
      { files: { ...good, [path]: "elsewhere" }, modes: { [path]: "120000" } },
      { files: good },
    ]);
    const found = await exposureOf(repository, "bob");
    expect([addressesOf(found), found.isComplete]).toEqual([["dev/app/A"], false]);
    expect(found.warnings).toEqual([
      expect.stringMatching(/^passed over commit [0-9a-f]{9}: secrets\/dev\/app\.yaml is not a regular file$/),
      expect.stringMatching(
        /^passed over commit [0-9a-f]{9}: secrets\/dev\/app\.keys\/.* does not say who can read it$/,
      ),
      expect.stringMatching(/^passed over commit [0-9a-f]{9}: secrets\/dev\/app\.yaml has a line that is no record$/),
    ]);
  });

  it("says that a shallow clone and grafts hide commits", async () => {
    const { repository } = createHistory([
      { files: { ...scopeFile("dev/app", { A: [1, 1] }), ...generationFile("dev/app", 1, ["bob"]) } },
      { files: { ...scopeFile("dev/app", { A: [1, 2] }), ...generationFile("dev/app", 2, ["alice"]) } },
    ]);
    mkdirSync(join(repository.root, ".git/info"), { recursive: true });
    const head = repository.git("rev-parse", "HEAD").trim();
    writeFileSync(join(repository.root, ".git/info/grafts"), `${head}\n`);
    const grafted = await exposureOf(repository, "alice");
    expect([grafted.isComplete, grafted.warnings[0]]).toEqual([false, expect.stringContaining("grafts")]);
    writeFileSync(join(repository.root, ".git/info/grafts"), "");
    writeFileSync(join(repository.root, ".git/shallow"), `${head}\n`);
    const shallow = await exposureOf(repository, "alice");
    expect([shallow.isComplete, shallow.warnings[0]]).toEqual([
      false,
      expect.stringContaining("git fetch --unshallow"),
    ]);
  });

  it("does not depend on settings of the user", async () => {
    const { repository } = createHistory([
      { files: { ...scopeFile("dev/app", { A: [1, 1] }), ...generationFile("dev/app", 1, ["bob"]) } },
      { files: { ...scopeFile("dev/app", { A: [1, 2] }), ...generationFile("dev/app", 2, ["alice"]) } },
    ]);
    const settings = {
      "log.showRoot": "false",
      "log.showSignature": "true",
      "log.diffMerges": "combined",
      "diff.renames": "copies",
      "diff.orderFile": "no-such-file",
      "diff.noprefix": "true",
      "diff.statGraphWidth": "3",
      "color.ui": "always",
      "format.pretty": "oneline",
      "core.pager": "false",
    };
    for (const [key, value] of Object.entries(settings)) repository.git("config", key, value);
    expect(addressesOf(await exposureOf(repository, "bob"))).toEqual(["dev/app/A"]);
  });

  it("ignores a replaced commit", async () => {
    const { repository, ids } = createHistory([
      { files: { ...scopeFile("dev/app", { A: [1, 1] }), ...generationFile("dev/app", 1, ["bob"]) } },
      { files: { ...scopeFile("dev/app", { A: [1, 2] }), ...generationFile("dev/app", 2, ["alice"]) } },
    ]);
    const [clean = ""] = makeHistory(repository, [{ files: {} }], "clean");
    repository.git("replace", ids[0] ?? "", clean);
    expect(addressesOf(await exposureOf(repository, "bob"))).toEqual(["dev/app/A"]);
  });
});

describe("listPastReaders", () => {
  it("lists everybody who could read the value, with the first and the last commit", async () => {
    const { repository, ids } = createHistory([
      {
        files: { ...scopeFile("dev/app", { A: [1, 1], B: [2, 1] }), ...generationFile("dev/app", 1, ["alice", "bob"]) },
      },
      {
        files: {
          ...scopeFile("dev/app", { A: [1, 2], B: [3, 2] }),
          ...generationFile("dev/app", 1, ["alice", "bob"], ["alice"]),
          ...generationFile("dev/app", 2, ["alice"]),
        },
      },
    ]);
    const scope = parseScopePath("dev/app");
    const request = { from: ids[1], allRefs: false, withWorkTree: true };
    const { readers, values } = await listPastReaders(placeOf(repository), { ...request, target: { scope } });
    expect(readers.map(({ name, first, last, secrets }) => [name, first?.commit, last?.commit, secrets])).toEqual([
      ["alice", ids[0], undefined, ["A", "B"]],
      ["bob", ids[0], ids[1], ["A"]],
    ]);
    expect(values).toBe(2);
  });
});

describe("the rule of exposure", () => {
  const names = ["alice", "bob", "carol"];
  const values = [1, 2, 3, 4];
  const generations = [1, 2, 3];
  const scopes = ["dev/app", "prod/app"];
  let repository: TestRepository;
  let count = 0;

  beforeAll(() => {
    repository = createRepository();
  });

  const record = fc.tuple(fc.constantFrom(...values), fc.constantFrom(...generations));
  const some = fc.subarray(names, { minLength: 1 });
  const state = fc.record({
    parents: fc.array(fc.nat(), { minLength: 1, maxLength: 2 }),
    scopes: fc.array(fc.dictionary(fc.constantFrom("A", "B"), record), { minLength: 2, maxLength: 2 }),
    keyring: fc.array(fc.option(fc.tuple(some, some), { nil: undefined }), { minLength: 3, maxLength: 3 }),
  });

  /** Generation 3 belongs to the second scope, the others to the first. */
  const scopeOf = (generation: number) => scopes[generation === 3 ? 1 : 0] ?? "";

  it("is what a model of thirty lines says, on any history with merges", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(state, { minLength: 1, maxLength: 9 }),
        fc.constantFrom(...names),
        async (states, who) => {
          const commits = states.map(({ parents, scopes: files, keyring }, index) => ({
            parents: index === 0 ? [] : [...new Set(parents.map((parent) => parent % index))],
            files: Object.assign(
              {},
              ...files.map((records, at) => scopeFile(scopes[at] ?? "", records)),
              ...keyring.map((lists, at) =>
                lists === undefined ? {} : generationFile(scopeOf(at + 1), at + 1, ...lists),
              ),
            ) as Record<string, string>,
          }));
          const reachable = new Set<number>();
          const walk = (index: number) => {
            if (reachable.has(index)) return;
            reachable.add(index);
            commits[index]?.parents.forEach(walk);
          };
          walk(commits.length - 1);
          const past = states.filter((_, index) => reachable.has(index));
          const isKnown = (generation: number) =>
            past.some(({ keyring }) => keyring[generation - 1]?.some((list) => list.includes(who)));
          const couldRead = (value: number) =>
            past.some(({ scopes: files }) =>
              files.some((records) =>
                Object.values(records).some(([other, generation]) => other === value && isKnown(generation)),
              ),
            );
          const expected = (states.at(-1)?.scopes ?? []).flatMap((records, at) =>
            Object.entries(records).flatMap(([name, [value]]) =>
              couldRead(value) ? [`${scopes[at] ?? ""}/${name}`] : [],
            ),
          );
          const from = makeHistory(repository, commits, `run-${(count += 1)}`).at(-1);
          const isNobody = !generations.some(isKnown);
          const found = isNobody ? [] : addressesOf(await exposureOf(repository, who, { from }));
          expect(found).toEqual(expected.toSorted());
        },
      ),
      { numRuns: 20 },
    );
  });
});
