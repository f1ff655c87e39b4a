import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printMergedScope, splitConflicts } from "../../src/history/conflict-text.ts";
import { mergeScopes } from "../../src/history/merge-scope.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { parseScopeFile, printScopeFile, type ScopeEntries } from "../../src/store/scope-file.ts";
import { parseRecordHeader } from "../../src/crypto/record.ts";
import { makeEntries, makeRecord } from "./made-records.ts";

const scope = parseScopePath("dev/app");
const none = new Set<string>();

const side = fc
  .dictionary(fc.constantFrom("A", "B", "C"), fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })))
  .map((given) =>
    Object.fromEntries(
      Object.entries(given).map(([name, [value, generation]]) => [name, makeRecord(value, generation)]),
    ),
  );
const sides = fc.record({ base: side, ours: side, theirs: side });

function valuesOf(entries: ScopeEntries): Record<string, string> {
  return Object.fromEntries([...entries].map(([name, { record }]) => [name, parseRecordHeader(record).valueId]));
}

function recordsOf(entries: ScopeEntries): Record<string, string> {
  return Object.fromEntries([...entries].map(([name, { record }]) => [name, record]));
}

function merge(
  base: Record<string, string>,
  ours: Record<string, string>,
  theirs: Record<string, string>,
  disputed = none,
) {
  return mergeScopes({ entries: makeEntries(base), disputed }, makeEntries(ours), makeEntries(theirs));
}

describe("mergeScopes", () => {
  it("takes the change of the one side that has one, and stops where both have", () => {
    fc.assert(
      fc.property(sides, ({ base, ours, theirs }) => {
        const [b, o, t] = [base, ours, theirs].map((each) => valuesOf(makeEntries(each)));
        const expected: Record<string, string | undefined> = {};
        const stopped: string[] = [];
        for (const name of ["A", "B", "C"]) {
          const [was, mine, yours] = [b?.[name], o?.[name], t?.[name]];
          if (was !== mine && was !== yours && mine !== yours) stopped.push(name);
          else expected[name] = was === mine ? yours : mine;
        }
        const { entries, conflicts } = merge(base, ours, theirs);
        expect(conflicts.map(({ name }) => name)).toEqual(stopped);
        expect(valuesOf(entries)).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
    );
  });

  it("gives the same records whichever side is ours", () => {
    fc.assert(
      fc.property(sides, ({ base, ours, theirs }) => {
        const [one, other] = [merge(base, ours, theirs), merge(base, theirs, ours)];
        expect(recordsOf(one.entries)).toEqual(recordsOf(other.entries));
        expect(one.conflicts.map(({ name }) => name)).toEqual(other.conflicts.map(({ name }) => name));
      }),
    );
  });

  it("prefers the record that was sealed again since the base", () => {
    const [old, sealedAgain] = [makeRecord(1, 1), makeRecord(1, 2)];
    expect(recordsOf(merge({ A: old }, { A: old }, { A: sealedAgain }).entries)).toEqual({ A: sealedAgain });
    expect(recordsOf(merge({ A: old }, { A: sealedAgain }, { A: old }).entries)).toEqual({ A: sealedAgain });
  });

  it("keeps our comments unless only theirs changed", () => {
    const record = { A: makeRecord(1, 1) };
    const comments = (was: string, mine: string, yours: string) =>
      mergeScopes(
        { entries: makeEntries(record, { A: [was] }), disputed: none },
        makeEntries(record, { A: [mine] }),
        makeEntries(record, { A: [yours] }),
      )
        .entries.values()
        .next().value?.comments;
    expect(comments(" was", " was", " theirs")).toEqual([" theirs"]);
    expect(comments(" was", " ours", " theirs")).toEqual([" ours"]);
    expect(comments(" was", " ours", " was")).toEqual([" ours"]);
  });

  it("takes no side of a secret whose base is in dispute, unless both have one value", () => {
    const disputed = new Set(["A", "B"]);
    const merged = merge({}, { A: makeRecord(1, 1), B: makeRecord(2, 1) }, { B: makeRecord(2, 1) }, disputed);
    expect(merged.conflicts.map(({ name }) => name)).toEqual(["A"]);
    expect(Object.keys(recordsOf(merged.entries))).toEqual(["B"]);
  });
});

describe("printMergedScope", () => {
  it("prints what the parser reads back, or refuses and names the first secret in conflict", () => {
    fc.assert(
      fc.property(sides, ({ base, ours, theirs }) => {
        const merged = merge(base, ours, theirs);
        const text = printMergedScope(scope, merged);
        const read = () => recordsOf(parseScopeFile(Buffer.from(text), scope));
        const [first] = merged.conflicts;
        if (first === undefined) expect(text).toBe(printScopeFile(scope, merged.entries));
        else expect(read).toThrow(`conflict markers around ${first.name}`);
        const split = splitConflicts(text);
        expect([...split.disputed]).toEqual(merged.conflicts.map(({ name }) => name));
        expect(recordsOf(parseScopeFile(Buffer.from(split.text), scope))).toEqual(recordsOf(merged.entries));
      }),
    );
  });

  it("keeps the comments of each side with its record", () => {
    const ours = makeEntries({ A: makeRecord(2, 1) }, { A: [" ours"] });
    const theirs = makeEntries({ A: makeRecord(3, 1) }, { A: [" theirs"] });
    const merged = mergeScopes({ entries: makeEntries({ A: makeRecord(1, 1) }), disputed: none }, ours, theirs);
    expect(printMergedScope(scope, merged)).toBe(
      [
        "$sealtree: 1\n$scope: dev/app\n\n<<<<<<< ours\n# ours\nA: ",
        makeRecord(2, 1),
        "\n=======\n# theirs\nA: ",
        makeRecord(3, 1),
        "\n>>>>>>> theirs\n",
      ].join(""),
    );
  });
});
