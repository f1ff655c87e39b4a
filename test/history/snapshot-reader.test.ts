import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readSealedHeader } from "../../src/crypto/sealed-header.ts";
import { isSealtreeError } from "../../src/errors.ts";
import { findChangedLines } from "../../src/history/changed-lines.ts";
import { SnapshotReader } from "../../src/history/snapshot-reader.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { parseScopeFile, printScopeFile } from "../../src/store/scope-file.ts";
import { makeEntries, makeRecord } from "./made-records.ts";

const scope = parseScopePath("dev/app");

/** Name to value id, or the message of the strict reader. */
function strictly(bytes: Buffer): unknown {
  try {
    const entries = [...parseScopeFile(bytes, scope)].map(([name, { record }]) => [
      name,
      readSealedHeader(record).valueId,
    ]);
    return Object.fromEntries(entries) as unknown;
  } catch (error) {
    if (isSealtreeError(error)) return error.message;
    throw error;
  }
}

function quickly(reader: SnapshotReader, bytes: Buffer): unknown {
  try {
    const seen = [...reader.read(bytes)].map(([name, header]) => [name, isSealtreeError(header) ? "" : header.valueId]);
    return Object.fromEntries(seen) as unknown;
  } catch (error) {
    if (isSealtreeError(error)) return error.message;
    throw error;
  }
}

describe("SnapshotReader", () => {
  it("reads every version as the strict reader does, whatever the one before was", () => {
    const name = fc.constantFrom("A", "AB", "B_2", "yes", "c.d-e");
    const records = fc.dictionary(
      name,
      fc.tuple(fc.nat(5), fc.nat(1)).map((it) => makeRecord(...it)),
    );
    const comments = fc.dictionary(name, fc.constantFrom<string[]>([" one"], [" two", ""], []), { maxKeys: 1 });
    const good = fc.tuple(records, comments).map((parts) => printScopeFile(scope, makeEntries(...parts)));
    const odd = fc.constantFrom(
      "PLAIN: x\n",
      "\n# at the end\n",
      "no newline",
      `\nA: ${makeRecord(9, 9)}\n`,
      "\n\n",
      "\t\n",
    );
    const any = fc.oneof(
      good,
      fc.tuple(good, odd).map(([text, end]) => text + end),
      fc.constant("not a scope file"),
    );
    fc.assert(
      fc.property(fc.array(any, { maxLength: 8 }), (versions) => {
        const reader = new SnapshotReader(scope);
        for (const text of versions) expect(quickly(reader, Buffer.from(text))).toEqual(strictly(Buffer.from(text)));
      }),
    );
  });
});

describe("findChangedLines", () => {
  it("leaves out only whole lines that are the same", () => {
    const text = fc
      .array(fc.constantFrom("a", "ab", "b", "", "x".repeat(2000)), { maxLength: 6 })
      .map((it) => `${it.join("\n")}\n`);
    fc.assert(
      fc.property(text, text, (older, newer) => {
        const { start, oldEnd, newEnd } = findChangedLines(Buffer.from(older), Buffer.from(newer));
        expect(older.slice(0, start)).toBe(newer.slice(0, start));
        expect(older.slice(oldEnd)).toBe(newer.slice(newEnd));
        expect(oldEnd).toBeGreaterThanOrEqual(start);
        expect(newEnd).toBeGreaterThanOrEqual(start);
        for (const [whole, at] of [
          [older, start],
          [older, oldEnd],
          [newer, newEnd],
        ] as const)
          expect(at === 0 || whole[at - 1] === "\n").toBe(true);
      }),
    );
  });
});
