import { describe, expect, it } from "vitest";
import { blameScope } from "../../src/history/blame-scope.ts";
import { listFormerPlaces } from "../../src/history/follow-secret.ts";
import { listGivenUpValues } from "../../src/history/given-up-values.ts";
import { readRepositoryLog, type RepositoryChange } from "../../src/history/repository-log.ts";
import { listVersions } from "../../src/history/versions.ts";
import { parseAddress, parseScopePath, printAddress } from "../../src/secret/address.ts";
import { openWorkTree } from "../../src/store/work-tree.ts";
import { createRepository } from "../support/repository.ts";
import { makeHistory, placeOf, scopeFile, valueIdOf, type MadeCommit } from "./made-history.ts";

async function former(commits: readonly MadeCommit[], text: string): Promise<string[]> {
  const repository = createRepository();
  const ids = makeHistory(repository, commits);
  const address = parseAddress(text);
  const { versions } = await listVersions(placeOf(repository), address, ids.at(-1));
  const places = await listFormerPlaces(placeOf(repository), address, versions);
  return places.map(
    (place) => `${printAddress(place.address)} ${place.versions.length} until ${ids.indexOf(place.movedIn)}`,
  );
}

describe("listFormerPlaces", () => {
  it("goes on where the value was before, within a scope and across scopes", async () => {
    const steps = [
      { files: scopeFile("dev/app", { A: [1, 1] }) },
      { files: scopeFile("dev/app", { A: [2, 1] }) },
      { files: scopeFile("dev/app", { B: [2, 1] }) },
      { files: scopeFile("dev/app", { B: [3, 1] }) },
      { files: { ...scopeFile("dev/app", {}), ...scopeFile("prod/web", { C: [3, 2] }) } },
      { files: scopeFile("prod/web", { C: [4, 2] }) },
    ];
    expect(await former(steps, "prod/web/C")).toEqual(["dev/app/B 2 until 4", "dev/app/A 2 until 2"]);
  });

  it("takes a copy, and a new value beside a removal, for no move", async () => {
    const copied = [
      { files: scopeFile("dev/app", { A: [1, 1] }) },
      { files: scopeFile("dev/app", { A: [1, 1], B: [1, 1] }) },
    ];
    expect(await former(copied, "dev/app/B")).toEqual([]);
    const replaced = [{ files: scopeFile("dev/app", { A: [1, 1] }) }, { files: scopeFile("dev/app", { B: [2, 1] }) }];
    expect(await former(replaced, "dev/app/B")).toEqual([]);
  });

  it("finds the move on the side branch where it was made", async () => {
    const steps = [
      { files: scopeFile("dev/app", { A: [1, 1], X: [9, 1] }) },
      { parents: [0], files: scopeFile("dev/app", { B: [1, 1], X: [9, 1] }) },
      { parents: [0], files: scopeFile("dev/app", { A: [1, 1], X: [8, 1] }) },
      { parents: [2, 1], files: scopeFile("dev/app", { B: [1, 1], X: [8, 1] }) },
    ];
    expect(await former(steps, "dev/app/B")).toEqual(["dev/app/A 1 until 1"]);
  });
});

describe("readRepositoryLog", () => {
  it("lists what every commit did to secrets, newest first, and nothing else", async () => {
    const repository = createRepository();
    const ids = makeHistory(repository, [
      { files: { ...scopeFile("dev/app", { A: [1, 1] }), "readme.md": "text" } },
      { files: { ...scopeFile("dev/app", { A: [1, 1] }), "readme.md": "other" } },
      { files: { ...scopeFile("dev/app", { A: [1, 2] }), ...scopeFile("prod/web", { B: [2, 1] }) } },
      { files: { ...scopeFile("dev/app", {}), ...scopeFile("prod/web", { B: [2, 1], C: [1, 3] }) } },
      { files: { "secrets/prod/web.yaml": "not a scope file\n" } },
    ]);
    const found: RepositoryChange[] = [];
    for await (const change of readRepositoryLog(placeOf(repository), ids.at(-1) ?? "", () => true)) found.push(change);
    expect(found.map(({ commit, scopes, moves }) => [ids.indexOf(commit), scopes, moves.length])).toEqual([
      [4, [{ scope: "prod/web", set: [], removed: ["B", "C"], resealed: [] }], 0],
      [
        3,
        [
          { scope: "dev/app", set: [], removed: ["A"], resealed: [] },
          { scope: "prod/web", set: ["C"], removed: [], resealed: [] },
        ],
        1,
      ],
      [
        2,
        [
          { scope: "dev/app", set: [], removed: [], resealed: ["A"] },
          { scope: "prod/web", set: ["B"], removed: [], resealed: [] },
        ],
        0,
      ],
      [0, [{ scope: "dev/app", set: ["A"], removed: [], resealed: [] }], 0],
    ]);
  });
});

describe("blameScope", () => {
  it("names the commit of each value, past rekeys and merges, from one walk", async () => {
    const repository = createRepository();
    const ids = makeHistory(repository, [
      { files: scopeFile("dev/app", { A: [1, 1], B: [2, 1], C: [3, 1] }) },
      { parents: [0], files: scopeFile("dev/app", { A: [4, 1], B: [2, 1], C: [3, 1] }) },
      { parents: [0], files: scopeFile("dev/app", { A: [1, 1], B: [5, 1], C: [3, 1] }) },
      { parents: [1, 2], files: scopeFile("dev/app", { A: [4, 1], B: [5, 1], C: [3, 1] }) },
      { files: scopeFile("dev/app", { A: [4, 2], B: [5, 2], C: [3, 2] }) },
    ]);
    repository.git("reset", "--quiet", "--hard");
    const [path = "", text = ""] = Object.entries(scopeFile("dev/app", { A: [4, 2], B: [6, 2] }))[0] ?? [];
    const place = placeOf(repository);
    const tree = openWorkTree(repository.root);
    const show = async (at?: string) => {
      const found = await blameScope(place, parseScopePath("dev/app"), { tree, at });
      return [found?.lines.map(({ name, origin }) => `${name} ${ids.indexOf(origin?.commit ?? "")}`), found?.removed];
    };
    expect(await show()).toEqual([["A 1", "B 2", "C 0"], []]);
    repository.write(path, text);
    expect(await show()).toEqual([["A 1", "B -1"], ["C"]]);
  });
});

describe("listGivenUpValues", () => {
  it("lists what emergency rotations replaced", async () => {
    const repository = createRepository();
    makeHistory(repository, [{ files: scopeFile("dev/app", { A: [1, 1], B: [2, 1] }) }]);
    repository.git("reset", "--quiet", "--hard");
    for (const [value, reason] of [
      [3, "rotation"],
      [4, "emergency"],
    ] as const) {
      const [path = "", text = ""] = Object.entries(scopeFile("dev/app", { A: [value, 1], B: [2, 1] }))[0] ?? [];
      repository.write(path, text);
      repository.git("commit", "--quiet", "--all", "-m", `test\n\nSealtree-Reason: ${reason}`);
    }
    const found = await listGivenUpValues(placeOf(repository), parseScopePath("dev/app"));
    expect(found).toEqual([{ name: "A", valueId: valueIdOf(3), commit: repository.git("rev-parse", "HEAD").trim() }]);
  });
});
