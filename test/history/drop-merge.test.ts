import { describe, expect, it } from "vitest";
import { readSealedHeader } from "../../src/crypto/sealed-header.ts";
import { mergeScopes } from "../../src/history/merge-scope.ts";
import { findTakenBack } from "../../src/history/taken-back.ts";
import { parseScopePath, parseSecretName } from "../../src/secret/address.ts";
import type { ScopeEntries } from "../../src/store/scope-file.ts";
import { memoryTree } from "../access/memory-tree.ts";
import { craftDrop, craftDropHeader } from "../vectors/craft-drop.ts";
import { makeEntries, makeRecord } from "./made-records.ts";

/** A drop with the value id of {@link makeRecord}. */
function makeDrop(value: number): string {
  return craftDrop({ header: craftDropHeader(value.toString(16).padStart(16, "0")) });
}

function merge(base: ScopeEntries, ours: ScopeEntries, theirs: ScopeEntries) {
  const { entries, conflicts } = mergeScopes({ entries: base, disputed: new Set() }, ours, theirs);
  return conflicts.length > 0 ? "conflict" : entries.get(parseSecretName("A"))?.record;
}

const drop = makeEntries({ A: makeDrop(1) });
const record = makeEntries({ A: makeRecord(1, 1) });
const other = makeEntries({ A: makeRecord(2, 1) });
const none = makeEntries({});
const [dropText, recordText, otherText] = [makeDrop(1), makeRecord(1, 1), makeRecord(2, 1)];

describe("a merge", () => {
  it.each([
    ["adopted on one side", drop, drop, record, recordText],
    ["adopted on both sides, in two generations", drop, record, makeEntries({ A: makeRecord(1, 2) }), "either"],
    ["a drop here and its record there", none, drop, record, recordText],
    ["an adoption that is taken back", record, record, drop, dropText],
    ["a later value that is taken back to a drop", other, other, drop, dropText],
    ["set anew on one side, a drop as it was on the other", drop, other, drop, otherText],
    ["set anew on one side, adopted on the other", drop, other, record, otherText],
    ["removed on one side, adopted on the other", drop, none, record, undefined],
    ["set to a drop on one side, to a record on the other", none, drop, other, "conflict"],
  ] as const)("of %s is the same both ways", (_what, base, ours, theirs, expected) => {
    const merged = [merge(base, ours, theirs), merge(base, theirs, ours)];
    expect(merged[0]).toBe(merged[1]);
    if (expected === "either") expect(readSealedHeader(merged[0] ?? "").kind).toBe("record");
    else expect(merged[0]).toBe(expected);
  });
});

describe("findTakenBack", () => {
  const scope = parseScopePath("dev/app");
  const tree = memoryTree({});
  const kept = makeEntries({ A: makeDrop(1), B: makeRecord(2, 1) });

  it("finds the first generation of a scope that goes with its adoption while a later value needs it", async () => {
    const found = await findTakenBack(tree, scope, { base: record, theirs: drop, merged: kept });
    expect(found.map(({ name }) => name)).toEqual(["B"]);
  });

  it("finds none when nothing needs it, and none when the other side only has a new drop", async () => {
    expect(await findTakenBack(tree, scope, { base: record, theirs: drop, merged: drop })).toEqual([]);
    const fresh = makeEntries({ C: makeDrop(3) });
    expect(await findTakenBack(tree, scope, { base: record, theirs: fresh, merged: kept })).toEqual([]);
  });
});
