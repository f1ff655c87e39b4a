import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeParts } from "../../src/crypto/pae.ts";

const parts = fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 6 });

describe("encodeParts", () => {
  it("writes a count, then a length and the bytes of each part", () => {
    expect(Buffer.from(encodeParts(["ab", ""])).toString("hex")).toBe(
      ["0200000000000000", "0200000000000000", "6162", "0000000000000000"].join(""),
    );
  });

  it("gives different bytes for different lists", () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const isSameList =
          a.length === b.length && a.every((part, index) => Buffer.compare(part, b[index] ?? part) === 0);
        expect(Buffer.compare(encodeParts(a), encodeParts(b)) === 0).toBe(isSameList);
      }),
    );
  });

  it("gives different bytes wherever one text is cut", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 20, unit: "binary-ascii" }), (text) => {
        const cuts = Array.from({ length: text.length + 1 }, (_, at) =>
          encodeParts([text.slice(0, at), text.slice(at)]),
        );
        expect(new Set(cuts.map((cut) => Buffer.from(cut).toString("hex"))).size).toBe(cuts.length);
      }),
    );
  });

  it("can be taken apart again", () => {
    fc.assert(
      fc.property(parts, (list) => {
        expect(takeApart(Buffer.from(encodeParts(list)))).toEqual(list.map((part) => Buffer.from(part)));
      }),
    );
  });

  it("takes a string as its UTF-8 bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(encodeParts([text])).toEqual(encodeParts([Buffer.from(text, "utf8")]));
      }),
    );
  });
});

function takeApart(encoded: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let offset = 8;
  for (let left = encoded.readBigUInt64LE(0); left > 0n; left--) {
    const end = offset + 8 + Number(encoded.readBigUInt64LE(offset));
    parts.push(encoded.subarray(offset + 8, end));
    offset = end;
  }
  expect(offset).toBe(encoded.length);
  return parts;
}
