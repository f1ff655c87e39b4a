import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseBase64url, printBase64url } from "../../src/crypto/base64url.ts";

describe("base64url", () => {
  it("gives any bytes back", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(Buffer.compare(parseBase64url(printBase64url(bytes)) ?? Buffer.of(0), bytes)).toBe(0);
      }),
    );
  });

  it("prints a view of a larger buffer, not the buffer", () => {
    expect(printBase64url(Buffer.from("xxabcxx").subarray(2, 5))).toBe("YWJj");
  });

  it("has one text for each list of bytes, so every other text is refused", () => {
    const character = fc.constantFrom(...Array.from("ABCDQRXYZabwxyz0189-_"));
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 12 }), (text) => {
        const isCanonical = Buffer.from(text, "base64url").toString("base64url") === text;
        const bytes = parseBase64url(text);
        expect(bytes && printBase64url(bytes)).toBe(isCanonical ? text : undefined);
      }),
    );
  });

  it("refuses a text with any character outside the alphabet", () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.nat(0xffff).map((code) => String.fromCharCode(code)),
        fc.nat(),
        (bytes, one, at) => {
          fc.pre(!/^[A-Za-z0-9_-]$/.test(one));
          const text = printBase64url(bytes);
          const cut = at % (text.length + 1);
          expect(parseBase64url(text.slice(0, cut) + one + text.slice(cut))).toBeUndefined();
        },
      ),
    );
  });
});
