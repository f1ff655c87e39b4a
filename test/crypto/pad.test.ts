import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { paddedLength } from "../../src/crypto/pad.ts";

const length = fc.oneof(fc.integer({ min: 0, max: 2048 }), fc.integer({ min: 0, max: 2 ** 21 }));

describe("paddedLength", () => {
  it("is 64 for everything up to 64", () => {
    const lengths = Array.from({ length: 65 }, (_, size) => paddedLength(size));
    expect(new Set(lengths)).toEqual(new Set([64]));
  });

  it("goes up to 1024 in steps of 64", () => {
    for (let size = 65; size <= 1024; size++) expect(paddedLength(size)).toBe(64 * Math.floor((size + 63) / 64));
  });

  it("is Padmé above 1024, computed with integers only", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1025, max: 2 ** 21 }), (size) => {
        const exponent = 31 - Math.clz32(size);
        const mask = (1 << (exponent - (32 - Math.clz32(exponent)))) - 1;
        expect(paddedLength(size)).toBe((size + mask) & ~mask);
      }),
    );
  });

  it("is right next to every power of two", () => {
    for (let exponent = 11; exponent <= 21; exponent++) {
      const power = 2 ** exponent;
      expect([paddedLength(power - 1), paddedLength(power)]).toEqual([power, power]);
      expect(paddedLength(power + 1)).toBe(power + 2 ** (exponent - (32 - Math.clz32(exponent))));
    }
  });

  it("never shrinks, never cuts, and keeps a padded length", () => {
    fc.assert(
      fc.property(length, length, (a, b) => {
        expect(paddedLength(a)).toBeGreaterThanOrEqual(a);
        expect(paddedLength(paddedLength(a))).toBe(paddedLength(a));
        expect(paddedLength(Math.min(a, b))).toBeLessThanOrEqual(paddedLength(Math.max(a, b)));
      }),
    );
  });

  it("costs less than a sixteenth above 1024", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1025, max: 2 ** 21 }), (size) => {
        expect(paddedLength(size) - size).toBeLessThan(size / 16);
      }),
    );
  });
});
