import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RandomSource } from "../../src/crypto/random.ts";
import {
  entropyBits,
  generateValue,
  parseGeneratorOptions,
  parseGeneratorSpec,
} from "../../src/rotation/generator-spec.ts";
import { generators, isGeneratorKind } from "../../src/rotation/generators/registry.ts";
import { randomIndexes } from "../../src/rotation/generators/uniform.ts";

/** SHA-256 in counter mode: the same bytes on every run. */
function seededRandom(seed: string): RandomSource {
  let counter = 0;
  let pool = Buffer.alloc(0);
  return (size) => {
    while (pool.length < size) {
      pool = Buffer.concat([pool, createHash("sha256").update(`${seed}:${counter++}`).digest()]);
    }
    const bytes = pool.subarray(0, size);
    pool = pool.subarray(size);
    return bytes;
  };
}

function generate(spec: string, random: RandomSource): string {
  return generateValue(parseGeneratorSpec(spec), random).revealText() ?? "";
}

function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((total, count) => total + count, 0) / counts.length;
  return counts.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
}

describe("the generators", () => {
  it.each([
    ["password", /^[A-Za-z0-9!*,\-.=_~]{32}$/],
    ["password:length=20,symbols=false", /^[A-Za-z0-9]{20}$/],
    ["password:lower=false,upper=false,symbols=false", /^[0-9]{32}$/],
    ["password:length=1024,ambiguous=false", /^[A-HJ-NP-Za-kmnp-z2-9!*,\-.=_~]{1024}$/],
    ["hex", /^[0-9a-f]{64}$/],
    ["hex:bytes=16", /^[0-9a-f]{32}$/],
    ["base64", /^[A-Za-z0-9+/]{43}=$/],
    ["base64url:bytes=48", /^[A-Za-z0-9_-]{64}$/],
    ["uuid", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
  ])("%s has its shape", (spec, shape) => {
    const random = seededRandom(spec);
    for (let round = 0; round < 50; round++) expect(generate(spec, random)).toMatch(shape);
  });

  it("passwords have at least one character of each class", () => {
    const random = seededRandom("classes");
    for (let round = 0; round < 2000; round++) {
      const password = generate("password:length=20", random);
      for (const characters of [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/]) expect(password).toMatch(characters);
    }
  });

  it("writes the random bytes and nothing else", () => {
    const bytes = Uint8Array.from({ length: 16 }, (_, index) => 255 - index);
    expect(generate("hex:bytes=16", () => bytes)).toBe("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0");
    expect(generate("base64:bytes=16", () => bytes)).toBe("//79/Pv6+fj39vX08/Lx8A==");
    expect(generate("base64url:bytes=16", () => bytes)).toBe("__79_Pv6-fj39vX08_Lx8A");
    expect(generate("uuid", () => bytes)).toBe("fffefdfc-fbfa-49f8-b7f6-f5f4f3f2f1f0");
  });

  it("draws every index equally often", () => {
    const size = 70;
    const counts = Array.from({ length: size }, () => 0);
    const random = seededRandom("uniform");
    for (const index of randomIndexes(70_000, size, random)) counts[index] = (counts[index] ?? 0) + 1;
    // 99.9th percentile of chi-square with 69 degrees of freedom: 111.06.
    expect(chiSquare(counts)).toBeLessThan(111.06);
  });

  it("throws bytes away that would favour an index", () => {
    const draws = [Uint8Array.of(255, 209), Uint8Array.of(210), Uint8Array.of(69)];
    expect(randomIndexes(2, 70, () => draws.shift() ?? new Uint8Array(0))).toEqual([69, 69]);
    expect(draws).toEqual([]);
  });

  it("draws every character of a password of one class equally often", () => {
    const counts = new Map<string, number>();
    const random = seededRandom("digits");
    const spec = "password:length=1000,lower=false,upper=false,symbols=false";
    for (let round = 0; round < 20; round++) {
      for (const character of generate(spec, random)) counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    // 99.9th percentile of chi-square with 9 degrees of freedom: 27.88.
    expect(counts.size).toBe(10);
    expect(chiSquare([...counts.values()])).toBeLessThan(27.88);
  });

  it("gives up on a stuck random source instead of a weak password", () => {
    expect(() => generate("password", (size) => new Uint8Array(size))).toThrow("repeats itself");
    expect(() => generate("password", (size) => new Uint8Array(size).fill(255))).toThrow("repeats itself");
  });

  it.each([
    ["hex", 256],
    ["base64url:bytes=16", 128],
    ["uuid", 122],
    ["password:lower=false,upper=false,symbols=false,length=20", 20 * Math.log2(10)],
    ["password:length=1024", 1024 * Math.log2(70)],
    ["password:lower=false,upper=false,length=20", Math.log2(18 ** 20 - 10 ** 20 - 8 ** 20)],
  ])("%s has its bits of entropy", (spec, bits) => {
    expect(entropyBits(parseGeneratorSpec(spec))).toBeCloseTo(bits, 6);
  });

  it("names and describes every kind", () => {
    for (const [kind, generator] of Object.entries(generators)) {
      expect(generator.name).toBe(kind);
      expect(generator.describe).not.toBe("");
    }
    expect(isGeneratorKind("toString")).toBe(false);
  });
});

describe("parseGeneratorSpec", () => {
  it("fills in the defaults", () => {
    const classes = { lower: true, upper: true, digits: true, symbols: true, ambiguous: true };
    expect(parseGeneratorSpec("password")).toEqual({ kind: "password", options: { length: 32, ...classes } });
    expect(parseGeneratorSpec("password:length=40,symbols=false")).toEqual({
      kind: "password",
      options: { length: 40, ...classes, symbols: false },
    });
    expect(parseGeneratorSpec("uuid")).toEqual({ kind: "uuid", options: {} });
  });

  it.each(
    [
      [
        "",
        "canary",
        "toString",
        "hex:",
        "hex:bytes",
        "hex:bytes=",
        "hex:bytes=16,",
        "hex:bytes=canary",
        "hex: bytes=16",
      ],
      ["hex:bytes=15", "hex:bytes=1025", "hex:bytes=16.5", "hex:bytes=-16", "hex:bytes=0x10", "hex:bytes=true"],
      ["hex:bytes=16,bytes=16", "hex:length=16", "hex:kind=16", "uuid:bytes=16", "password:length=19"],
      ["password:length=1025", "password:symbols=1", "password:lower=false,upper=false,digits=false,symbols=false"],
    ].flat(),
  )("refuses %j with the kinds and options, and without repeating it", (text) => {
    expect(() => parseGeneratorSpec(text)).toThrow(
      expect.objectContaining({
        code: "E_USAGE",
        message: expect.not.stringContaining("canary"),
        hints: expect.arrayContaining(["hex  bytes=32 (16 to 1024)", "uuid"]),
      }),
    );
  });

  it("throws only E_USAGE, whatever the text", () => {
    const parts = fc.constantFrom(
      "password",
      "hex",
      "uuid",
      ":",
      "=",
      ",",
      "bytes",
      "length",
      "true",
      "false",
      "32",
      "x",
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 9 }), (fragments) => {
        try {
          parseGeneratorSpec(fragments.join(""));
        } catch (error) {
          expect(error).toMatchObject({ code: "E_USAGE" });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("parseGeneratorOptions", () => {
  it("takes the object a policy file has", () => {
    expect(parseGeneratorOptions({ kind: "base64", bytes: 48 })).toEqual(parseGeneratorSpec("base64:bytes=48"));
  });

  it.each([
    {},
    { kind: 1 },
    { kind: "base64", bytes: "48" },
    { kind: "base64", size: 48 },
    { kind: "password", length: 1e9 },
  ])("refuses %j", (written) => {
    expect(() => parseGeneratorOptions(written)).toThrow(expect.objectContaining({ code: "E_USAGE" }));
  });
});
