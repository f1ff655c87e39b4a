import { describe, expect, it } from "vitest";
import { mergeGenerations } from "../../src/history/merge-generation.ts";
import type { Side } from "../../src/history/merged-content.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { makeGeneration, readersOf } from "./made-generations.ts";

const scope = parseScopePath("dev/app");
const id = "0".repeat(31) + "1";

/** The names that a version is wrapped for, and a number for its seal. */
type Version = [string, number];

/** The three versions, each by the names that it is wrapped for and a number for its seal. */
function merge(
  base: Version | undefined,
  ours: Version | undefined,
  theirs: Version | undefined,
  more: { readonly wanted?: string; readonly choose?: Side } = {},
) {
  const bytes = (of: Version | undefined) =>
    of === undefined ? undefined : Buffer.from(makeGeneration(scope, id, of[0], of[1]));
  return mergeGenerations(
    { base: bytes(base), ours: bytes(ours), theirs: bytes(theirs) },
    { scope, id, wanted: more.wanted === undefined ? undefined : readersOf(more.wanted), choose: more.choose },
  );
}

const text = (of: string, seal: number) => ({ kind: "merged", text: makeGeneration(scope, id, of, seal) });

describe("mergeGenerations", () => {
  it.each([
    ["only ours wrapped it again", ["a", 1], ["ab", 2], ["a", 1], ["ab", 2]],
    ["only theirs did, for the same", ["ab", 1], ["ab", 1], ["ab", 2], ["ab", 2]],
    ["both did for the same, and one of them is kept", ["a", 1], ["ab", 2], ["ab", 3], ["ab", 2]],
    ["theirs has what both added", ["a", 1], ["ab", 2], ["abc", 3], ["abc", 3]],
    ["ours has what both took away", ["abc", 1], ["a", 2], ["ab", 3], ["a", 2]],
    ["one side added and the other removed the same as it", ["ab", 1], ["ac", 2], ["a", 3], ["ac", 2]],
  ] satisfies [string, Version, Version, Version, Version][])(
    "keeps the one that fits: %s",
    (_what, base, ours, theirs, expected) => {
      expect(merge(base, ours, theirs)).toEqual(text(...expected));
      expect(merge(base, theirs, ours)).toEqual(text(...expected));
    },
  );

  it("takes neither where both lists changed, and names the readers", () => {
    expect(merge(["ab", 1], ["abc", 2], ["a", 3])).toEqual({
      kind: "unmerged",
      why: "ours is wrapped for a, b, c, theirs for a",
      after: "sealtree rekey dev/app",
    });
    expect(merge(undefined, ["ab", 2], ["a", 3]).kind).toBe("unmerged");
  });

  it("goes by the merged policy where it is known, and then by what is chosen", () => {
    expect(merge(["ab", 1], ["a", 2], ["b", 3], { wanted: "a" })).toEqual(text("a", 2));
    expect(merge(["ab", 1], ["abc", 2], ["a", 3], { wanted: "ac" })).toEqual(text("a", 3));
    expect(merge(["a", 1], ["ab", 2], ["ac", 3], { wanted: "abc" })).toEqual(text("ab", 2));
    expect(merge(["ab", 1], ["a", 2], ["b", 3], { wanted: "d", choose: "theirs" })).toEqual(text("b", 3));
    expect(merge(["ab", 1], ["a", 2], ["b", 3], { wanted: "d" }).kind).toBe("unmerged");
  });

  it("does not hide a reader who came on one side and is in no policy after the merge", () => {
    expect(merge(["ab", 1], ["abc", 2], ["a", 3], { wanted: "a" })).toEqual(text("abc", 2));
    expect(merge(["ab", 1], ["a", 2], ["abc", 3], { wanted: "a", choose: "ours" })).toEqual(text("abc", 3));
  });

  it("keeps a generation that a side removed", () => {
    expect(merge(["a", 1], undefined, ["ab", 2])).toEqual(text("ab", 2));
    expect(merge(["a", 1], ["a", 1], undefined)).toEqual(text("a", 1));
  });

  it("takes neither when the two were not minted as one", () => {
    const sides = {
      base: undefined,
      ours: Buffer.from(makeGeneration(scope, id, "a", 1)),
      theirs: Buffer.from(makeGeneration(scope, id, "a", 1).replace("previous: none", `previous: ${"f".repeat(32)}`)),
    };
    expect(mergeGenerations(sides, { scope, id })).toMatchObject({ why: expect.stringContaining("is another") });
  });
});
