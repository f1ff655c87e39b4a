import { describe, expect, it } from "vitest";
import { findMergeBases, isAncestor, listMergeBases, loadCommitGraph } from "../../src/git/commit-graph.ts";
import { placeOf } from "../history/made-history.ts";
import { createCommitMaker } from "../support/make-commits.ts";
import { createRepository } from "../support/repository.ts";

/** The same numbers in every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
}

describe("loadCommitGraph", () => {
  it("holds what the tip reaches and the base does not, also where dates run backwards", async () => {
    const repository = createRepository();
    const maker = createCommitMaker(repository);
    const [early, late] = [1_600_000_000, 1_900_000_000];
    const root = maker.commit({ files: {}, message: "root", at: late });
    const cut = maker.commit({ parents: [root], files: {}, message: "cut", at: late });
    let base = cut;
    for (let index = 0; index < 30; index++)
      base = maker.commit({ parents: [base], files: {}, message: `${index}`, at: early + index });
    const tip = maker.commit({ parents: [cut], files: {}, message: "tip", at: late });
    maker.write(base, "base");
    maker.write(tip);
    const place = placeOf(repository);
    expect(repository.git("rev-list", tip, `^${base}`)).toContain(cut);
    const { parents } = await loadCommitGraph(place, base, tip);
    expect([...parents]).toEqual([[tip, [cut]]]);
    expect([await isAncestor(place, cut, base), await isAncestor(place, base, cut)]).toEqual([true, false]);
  });
});

describe("findMergeBases", () => {
  it("agrees with git on a history with criss-cross merges, whatever the dates say", async () => {
    const repository = createRepository();
    const maker = createCommitMaker(repository);
    const random = createRandom(4);
    const ids = [maker.commit({ files: {}, message: "0" })];
    for (let index = 1; index < 80; index++) {
      const near = () => ids[Math.max(0, ids.length - 1 - random(6))] ?? "";
      const parents = [...new Set(random(3) === 0 ? [near(), near()] : [near()])];
      ids.push(maker.commit({ parents, files: {}, message: `${index}`, at: 1_600_000_000 + random(1000) }));
    }
    const tip = maker.commit({ parents: ids.slice(-6), files: {}, message: "tip" });
    maker.write(tip);
    const graph = await loadCommitGraph(placeOf(repository), ids[0] ?? "", tip);
    for (let round = 0; round < 60; round++) {
      const [a = "", b = ""] = [ids[random(ids.length)], ids[random(ids.length)]];
      if (a === b || !graph.parents.has(a) || !graph.parents.has(b)) continue;
      const expected = repository.git("merge-base", "--all", a, b).trim().split("\n");
      expect((await findMergeBases(placeOf(repository), graph, a, b)).toSorted()).toEqual(expected.toSorted());
    }
  });

  it("finds none for histories that have nothing in common", async () => {
    const repository = createRepository();
    const maker = createCommitMaker(repository);
    const [a, b] = [maker.commit({ files: {}, message: "a" }), maker.commit({ files: {}, message: "b" })];
    const tip = maker.commit({ parents: [a, b], files: {} });
    maker.write(tip);
    const graph = await loadCommitGraph(placeOf(repository), a, tip);
    expect(await findMergeBases(placeOf(repository), graph, a, b)).toEqual([]);
  });
});

describe("listMergeBases", () => {
  it("gives every place where two histories parted, and none where they have nothing in common", async () => {
    const repository = createRepository();
    const maker = createCommitMaker(repository);
    const at = (message: string, ...parents: string[]) => maker.commit({ parents, files: {}, message });
    const root = at("root");
    const [left, right] = [at("left", root), at("right", root)];
    const [one, other] = [at("one", left, right), at("other", right, left)];
    const tip = at("tip", one, other, at("alone"));
    maker.write(tip);
    const place = placeOf(repository);
    expect((await listMergeBases(place, one, other)).toSorted()).toEqual([left, right].toSorted());
    expect(await listMergeBases(place, left, other)).toEqual([left]);
    expect(await listMergeBases(place, at("alone"), root)).toEqual([]);
  });
});
