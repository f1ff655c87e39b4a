import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findMarkList, printMarkList } from "../../../src/deploy/targets/mark-list.ts";
import type { Mark } from "../../../src/deploy/targets/target.ts";

const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,40}$/);
const address = fc
  .tuple(
    fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,10}(\/[a-z0-9][a-z0-9_-]{0,10}){0,2}$/),
    fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,40}$/),
  )
  .map((parts) => parts.join("/"));
const mark = fc.record({ address, fingerprint: fc.stringMatching(/^[0-9a-f]{16}$/) }, { noNullPrototype: true });
const marks = fc.array(fc.tuple(name, mark), { maxLength: 40 }).map((pairs) => new Map<string, Mark>(pairs));

describe("a list of marks", () => {
  it("is read back as it was, in any pieces, whatever their order", () => {
    fc.assert(
      fc.property(marks, fc.integer({ min: 200, max: 2000 }), (written, maxBytes) => {
        const pieces = printMarkList(written, maxBytes) ?? [];
        expect(pieces.every((piece) => piece.length <= maxBytes && /^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(piece))).toBe(
          true,
        );
        expect(findMarkList(pieces.toReversed())).toEqual(written);
      }),
      { numRuns: 200 },
    );
  });

  it("is the same text for the same marks", () => {
    fc.assert(
      fc.property(marks, (written) => {
        expect(printMarkList(new Map([...written].toReversed()), 512)).toEqual(printMarkList(written, 512));
      }),
      { numRuns: 100 },
    );
  });

  it("has room for hundreds of secrets in the custom metadata of one entry of Vault", () => {
    const many = Array.from({ length: 600 }, (_, index) => `SERVICE_${index}_TOKEN`);
    const written = new Map(many.map((it) => [it, { address: `prod/api/${it}`, fingerprint: "0123456789abcdef" }]));
    expect(printMarkList(written, 512)?.length).toBeLessThan(64);
  });

  it("is none when one mark is too long, or a piece is of somebody else's making", () => {
    const long = new Map([["A", { address: `prod/${"x".repeat(128)}`, fingerprint: "0123456789abcdef" }]]);
    expect(printMarkList(long, 100)).toBeUndefined();
    for (const text of [
      "A",
      "A:xyz:prod/",
      "A:0123456789abcdef",
      "A:0123456789abcdef:prod/ A:0123456789abcdef",
      "__proto__",
    ])
      expect(findMarkList([text])).toBeUndefined();
    expect(findMarkList([])).toEqual(new Map());
    expect(findMarkList([""])).toEqual(new Map());
    fc.assert(fc.property(fc.string(), (text) => void findMarkList([text])));
  });
});
