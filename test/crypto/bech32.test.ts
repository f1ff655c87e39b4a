import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBech32, encodeBech32 } from "../../src/crypto/bech32.ts";

describe("decodeBech32", () => {
  it("reads what encodeBech32 writes, in both cases", () => {
    const prefixes = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
    fc.assert(
      fc.property(prefixes, fc.uint8Array({ maxLength: 2000 }), (prefix, bytes) => {
        const text = encodeBech32(prefix, bytes);
        expect(decodeBech32(text)).toEqual({ prefix, bytes });
        expect(decodeBech32(text.toUpperCase())).toEqual({ prefix: prefix.toUpperCase(), bytes });
      }),
    );
  });

  it.each(["A12UEL5L", "a12uel5l", "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "?1ezyfcl"])(
    "reads %s of BIP 173",
    (text) => {
      const decoded = decodeBech32(text);
      const { prefix = "", bytes = new Uint8Array(9) } = decoded ?? {};
      expect(encodeBech32(prefix.toLowerCase(), bytes)).toBe(text.toLowerCase());
    },
  );

  it.each(["\u00201nwldj5", "\u007f1axkwrx", "pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3", "A1G7SGD8"])(
    "refuses %j of BIP 173",
    (text) => {
      expect(decodeBech32(text)).toBeUndefined();
    },
  );

  it.each(["a12UEL5L", "A12uel5l", "a12uel5l ", "a12ueł5l", "", "1", "a1"])("refuses %j", (text) => {
    expect(decodeBech32(text)).toBeUndefined();
  });

  it("refuses padding bits that are not zero or not needed", () => {
    expect(decodeBech32("test1qq2htfgz")?.bytes).toEqual(Uint8Array.of(0));
    for (const text of ["test1qphplu4s", "test1q6j8x73", "test1qqq66v8w3"]) expect(decodeBech32(text)).toBeUndefined();
  });

  it("refuses any single changed character", () => {
    const text = encodeBech32("age", Buffer.from("sealtree test bech32 bytes, 32 B"));
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.constantFrom(...Array.from("qpzry9x8gf2tvdw0s3jn54khce6mua7l1b")),
        (at, char) => {
          const changed = text.slice(0, at) + char + text.slice(at + 1);
          expect(changed === text || decodeBech32(changed) === undefined).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});
