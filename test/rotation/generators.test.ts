import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RandomSource } from "../../src/crypto/random.ts";
import {
  generateValue,
  hasPublicHalf,
  parseGeneratorOptions,
  parseGeneratorSpec,
  publicHalfOf,
  strengthOf,
} from "../../src/rotation/generator-spec.ts";
import { effLargeWordlist } from "../../src/rotation/generators/eff-large-wordlist.ts";
import { generators, isGeneratorKind } from "../../src/rotation/generators/registry.ts";
import { randomIndexes, randomScalar } from "../../src/rotation/generators/uniform.ts";
import { Secret } from "../../src/secret/secret.ts";
import { seededNow, seededRandom } from "../support/seeded-sources.ts";

async function generate(spec: string, random: RandomSource, now = seededNow): Promise<string> {
  return (await generateValue(parseGeneratorSpec(spec), { random, now: () => now })).revealText() ?? "";
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
    // The 48 bits of 2026-03-01T12:34:56.789Z.
    ["uuid:version=7", /^019ca965-0895-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
    ["numeric", /^[0-9]{8}$/],
    ["numeric:length=4", /^[0-9]{4}$/],
    ["passphrase:separator=space", /^[a-z-]+(?: [a-z-]+){7}$/],
    ["passphrase:words=5,separator=dot,capitalize=true", /^[A-Z][a-z-]+(?:\.[A-Z][a-z-]+){4}$/],
    ["passphrase:separator=none,capitalize=true", /^(?:[A-Z][a-z-]+){8}$/],
  ])("%s has its shape", async (spec, shape) => {
    const random = seededRandom(spec);
    for (let round = 0; round < 50; round++) expect(await generate(spec, random)).toMatch(shape);
  });

  it("gives UUIDs of version 7 that sort by the time they were made (RFC 9562, appendix A.6)", async () => {
    const random = seededRandom("sorted");
    const made = [];
    for (const at of [0, 1, 255, 256, 2 ** 32, 1645557742000, 2 ** 48 - 1])
      made.push(await generate("uuid:version=7", random, new Date(at)));
    expect(made.toSorted()).toEqual(made);
    expect(made[5]).toMatch(/^017f22e2-79b0-7/);
  });

  it("passwords have at least one character of each class", async () => {
    const random = seededRandom("classes");
    for (let round = 0; round < 2000; round++) {
      const password = await generate("password:length=20", random);
      for (const characters of [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/]) expect(password).toMatch(characters);
    }
  });

  it("writes the random bytes and nothing else", async () => {
    const bytes = Uint8Array.from({ length: 16 }, (_, index) => 255 - index);
    expect(await generate("hex:bytes=16", () => bytes)).toBe("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0");
    expect(await generate("base64:bytes=16", () => bytes)).toBe("//79/Pv6+fj39vX08/Lx8A==");
    expect(await generate("base64url:bytes=16", () => bytes)).toBe("__79_Pv6-fj39vX08_Lx8A");
    expect(await generate("uuid", () => bytes)).toBe("fffefdfc-fbfa-49f8-b7f6-f5f4f3f2f1f0");
    expect(await generate("uuid:version=7", () => bytes)).toBe("019ca965-0895-79f8-b7f6-f5f4f3f2f1f0");
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

  it.each(["password:length=1000,lower=false,upper=false,symbols=false", "numeric:length=1000"])(
    "draws every digit of %s equally often",
    async (spec) => {
      const counts = new Map<string, number>();
      const random = seededRandom("digits");
      for (let round = 0; round < 20; round++) {
        for (const character of await generate(spec, random)) counts.set(character, (counts.get(character) ?? 0) + 1);
      }
      // 99.9th percentile of chi-square with 9 degrees of freedom: 27.88.
      expect(counts.size).toBe(10);
      expect(chiSquare([...counts.values()])).toBeLessThan(27.88);
    },
  );

  it("draws every word of a passphrase equally often", async () => {
    const words = effLargeWordlist();
    const place = new Map(words.map((word, index) => [word, index]));
    const counts = Array.from({ length: 96 }, () => 0);
    const random = seededRandom("words");
    for (let round = 0; round < 300; round++) {
      const drawn = (await generate("passphrase:words=64,separator=space", random)).split(" ");
      for (const word of drawn) {
        const group = Math.floor((place.get(word) ?? Number.NaN) / 81);
        counts[group] = (counts[group] ?? 0) + 1;
      }
    }
    // 99.9th percentile of chi-square with 95 degrees of freedom: 143.34.
    expect(counts).toHaveLength(7776 / 81);
    expect(chiSquare(counts)).toBeLessThan(143.34);
  });

  it("has the words of the EFF's large list, as published", () => {
    const dice = (index: number) => Number(index.toString(6).padStart(5, "0")) + 11111;
    const published = effLargeWordlist().map((word, index) => `${dice(index)}\t${word}\n`);
    expect(published).toHaveLength(7776);
    // Of eff_large_wordlist.txt.
    expect(createHash("sha256").update(published.join("")).digest("hex")).toBe(
      "addd35536511597a02fa0a9ff1e5284677b8883b83e986e43f15a3db996b903e",
    );
  });

  it("never makes the same passphrase of two draws: no word is two others with a separator between", () => {
    const words = new Set(effLargeWordlist());
    expect(words.size).toBe(7776);
    for (const word of words) {
      const parts = word.split("-");
      if (parts.length > 1) expect(parts.every((part) => words.has(part))).toBe(false);
      expect(word).toMatch(/^[a-z]+(?:-[a-z]+)?$/);
    }
  });

  it("throws two bytes away that would favour a word", () => {
    const draws = [Uint8Array.of(0xf3, 0x00), Uint8Array.of(0xf2, 0xff), Uint8Array.of(0x1e, 0x60)];
    expect(randomIndexes(1, 7776, () => draws.shift() ?? new Uint8Array(0))).toEqual([7775]);
    expect(randomIndexes(1, 7776, () => draws.shift() ?? new Uint8Array(0))).toEqual([0]);
    expect(draws).toEqual([]);
  });

  it("draws scalars from 1 to the order less 1, and throws away what is above", () => {
    const draws = (...bytes: number[]) => {
      const source = bytes.map((byte) => Uint8Array.of(byte));
      return () => source.shift() ?? new Uint8Array(0);
    };
    expect([...randomScalar(13n, draws(0xf0))]).toEqual([1]);
    expect([...randomScalar(13n, draws(0x0b))]).toEqual([12]);
    expect([...randomScalar(13n, draws(0x0c, 0xff, 0x55))]).toEqual([6]);
    expect([...randomScalar(256n, () => Uint8Array.of(0, 1))]).toEqual([0, 2]);
    expect(() => randomScalar(13n, () => Uint8Array.of(15))).toThrow("repeats itself");
  });

  it("gives up on a stuck random source instead of a weak value", async () => {
    const stuckAt =
      (byte: number): RandomSource =>
      (size) =>
        new Uint8Array(size).fill(byte);
    await expect(generate("password", stuckAt(0))).rejects.toThrow("repeats itself");
    for (const spec of ["password", "passphrase", "numeric", "ecdsa"])
      await expect(generate(spec, stuckAt(255))).rejects.toThrow("repeats itself");
  });

  it.each([
    ["hex", 256],
    ["base64url:bytes=16", 128],
    ["uuid", 122],
    ["password:lower=false,upper=false,symbols=false,length=20", 20 * Math.log2(10)],
    ["password:length=1024", 1024 * Math.log2(70)],
    ["password:lower=false,upper=false,length=20", Math.log2(18 ** 20 - 10 ** 20 - 8 ** 20)],
    ["uuid:version=7", 74],
    ["numeric:length=6", 6 * Math.log2(10)],
    ["passphrase:words=6", 6 * Math.log2(7776)],
  ])("%s has its bits of entropy", (spec, bits) => {
    const strength = strengthOf(parseGeneratorSpec(spec));
    expect(strength.kind).toBe("entropy");
    expect(strength.bits).toBeCloseTo(bits, 6);
  });

  it.each([
    ["ed25519", 128],
    ["x25519", 128],
    ["ecdsa", 128],
    ["ecdsa:curve=p384", 192],
    ["ecdsa:curve=p521", 256],
    ["rsa:bits=2048", 112],
    ["rsa", 128],
    ["rsa:bits=7168", 128],
    ["rsa:bits=8192", 192],
    ["ssh:key=ecdsa,curve=p384", 192],
    ["ssh:key=rsa,bits=2048", 112],
    ["age", 128],
    ["certificate:cn=test", 128],
    ["csr:cn=test,key=rsa,bits=2048", 112],
  ])("%s has the security strength of NIST SP 800-57, and claims no entropy", (spec, bits) => {
    expect(strengthOf(parseGeneratorSpec(spec))).toEqual({ kind: "security", bits });
  });

  it("takes security strength and a public half for the same kinds", () => {
    for (const kind of Object.keys(generators).filter(isGeneratorKind)) {
      const spec = parseGeneratorOptions({ kind, ...(["certificate", "csr"].includes(kind) ? { cn: "test" } : {}) });
      expect(hasPublicHalf(spec)).toBe(strengthOf(spec).kind === "security");
    }
  });

  it("gives no public half of a value that has none", async () => {
    await expect(publicHalfOf(parseGeneratorSpec("hex"), Secret.text("test"), seededNow)).rejects.toMatchObject({
      code: "E_VALUE_UNFIT",
      message: "what the generator hex makes has no public half",
    });
  });

  it("names and describes every kind", () => {
    for (const [kind, generator] of Object.entries(generators)) {
      expect(generator.name).toBe(kind);
      expect(generator.describe).not.toBe("");
    }
    expect(isGeneratorKind("toString")).toBe(false);
  });
});

const optional: { requiredKeys: ["kind"]; noNullPrototype: true } = { requiredKeys: ["kind"], noNullPrototype: true };
const bytes = fc.integer({ min: 16, max: 1024 });
const allowed = fc.oneof(
  fc
    .record(
      {
        kind: fc.constant("password"),
        length: fc.integer({ min: 20, max: 200 }),
        lower: fc.boolean(),
        upper: fc.boolean(),
        digits: fc.boolean(),
        symbols: fc.boolean(),
        ambiguous: fc.boolean(),
      },
      optional,
    )
    .filter(({ lower, upper, digits, symbols }) => [lower, upper, digits, symbols].some((on) => on !== false)),
  fc.record(
    {
      kind: fc.constant("passphrase"),
      words: fc.integer({ min: 5, max: 64 }),
      separator: fc.constantFrom("hyphen", "dot", "underscore", "space"),
      capitalize: fc.boolean(),
    },
    optional,
  ),
  fc.record({ kind: fc.constant("numeric"), length: fc.integer({ min: 4, max: 1024 }) }, optional),
  fc.record({ kind: fc.constantFrom("hex", "base64", "base64url"), bytes }, optional),
  fc.record({ kind: fc.constant("uuid"), version: fc.constantFrom(4, 7) }, optional),
  fc.record({ kind: fc.constant("ecdsa"), curve: fc.constantFrom("p256", "p384", "p521") }, optional),
  fc.record({ kind: fc.constant("age"), key: fc.constantFrom("hybrid", "x25519") }, optional),
  fc.record(
    {
      kind: fc.constant("ssh"),
      key: fc.constantFrom("ed25519", "ecdsa"),
      comment: fc.stringMatching(/^[a-z0-9](?:[a-z0-9 ._@:/*-]{0,40}[a-z0-9])?$/),
    },
    optional,
  ),
  fc.record({ kind: fc.constantFrom("ed25519", "x25519") }),
);

const shapes: Readonly<Record<string, (length: number) => RegExp>> = {
  password: (length) => new RegExp(`^[A-Za-z0-9!*,.=_~-]{${length}}$`),
  passphrase: (length) => new RegExp(`^[A-Za-z]+(?:[-._ ][A-Za-z]+){${length - 1},}$`),
  numeric: (length) => new RegExp(`^[0-9]{${length}}$`),
  hex: (length) => new RegExp(`^[0-9a-f]{${2 * length}}$`),
  base64: (length) => new RegExp(`^(?=.{${4 * Math.ceil(length / 3)}}$)[A-Za-z0-9+/]+={0,2}$`),
  base64url: (length) => new RegExp(`^[A-Za-z0-9_-]{${Math.ceil((4 * length) / 3)}}$`),
  uuid: () => /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  ecdsa: () => /^-----BEGIN PRIVATE KEY-----\n/,
  ed25519: () => /^-----BEGIN PRIVATE KEY-----\n/,
  x25519: () => /^-----BEGIN PRIVATE KEY-----\n/,
  age: () => /^AGE-SECRET-KEY-/,
  ssh: () => /^-----BEGIN OPENSSH PRIVATE KEY-----\n/,
};
const defaultLengths: Readonly<Record<string, number>> = { password: 32, passphrase: 8, numeric: 8 };

describe("any options that are allowed", () => {
  it("are the same in a text and in an object, and give a value of their shape whose public half can be derived", async () => {
    await fc.assert(
      fc.asyncProperty(allowed, async (written: Readonly<Record<string, unknown>>) => {
        const { kind, ...options } = written;
        const listed = Object.entries(options).map(([name, value]) => `${name}=${String(value)}`);
        const spec = parseGeneratorOptions(written);
        expect(parseGeneratorSpec([spec.kind, listed.join(",")].filter((part) => part !== "").join(":"))).toEqual(spec);
        const secret = await generateValue(spec, { random: seededRandom(listed.join()), now: () => seededNow });
        const size = options["length"] ?? options["words"] ?? options["bytes"] ?? defaultLengths[String(kind)] ?? 32;
        expect(secret.revealText()).toMatch(shapes[spec.kind]?.(Number(size)) ?? /^$/);
        expect(strengthOf(spec).bits).toBeGreaterThan(13);
        if (hasPublicHalf(spec)) expect(await publicHalfOf(spec, secret, seededNow)).toMatch(/^[^ ].*\n$/s);
      }),
      { numRuns: 300 },
    );
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
    expect(parseGeneratorSpec("uuid")).toEqual({ kind: "uuid", options: { version: 4 } });
  });

  it("reads words, texts and lists", () => {
    expect(parseGeneratorSpec("ssh:comment=12,key=rsa,bits=4096").options).toEqual({
      key: "rsa",
      bits: 4096,
      comment: "12",
    });
    const text = "certificate:cn=Test Service,o=true,dns=a.test+*.a.test,ip=::1,uri=spiffe://a.test/x,days=30";
    expect(parseGeneratorSpec(text)).toEqual(
      parseGeneratorOptions({
        kind: "certificate",
        cn: "Test Service",
        o: "true",
        dns: ["a.test", "*.a.test"],
        ip: ["::1"],
        uri: ["spiffe://a.test/x"],
        days: 30,
      }),
    );
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
      ["uuid:version=1", "uuid:version=canary", "numeric:length=3", "passphrase:words=4", "passphrase:separator=none"],
      ["passphrase:separator=canary", "passphrase:words=5+6", "ed25519:bits=2048", "ecdsa:curve=canary"],
      ["rsa:bits=1024", "rsa:bits=2049", "rsa:bits=9216", "ssh:bits=2048", "ssh:key=rsa,curve=p256"],
      ["ssh:key=canary", "ssh:comment= canary", "ssh:comment=canary\n", "age:key=canary", "ssh:constructor=canary"],
      ["certificate", "csr", "csr:cn=canary,days=3", "certificate:cn=canary,days=0", "certificate:cn=canary,days=4000"],
      ["certificate:cn=canary,dns=canary-", "certificate:cn=canary,dns=a.*.b", "certificate:cn=canary,c=canary"],
      ["certificate:cn=canary,ip=1.2.3", "certificate:cn=canary,ip=::ffff:1.2.3.4", "certificate:cn=canary,uri=canary"],
      ["certificate:cn=canary,email=canary", "certificate:cn=canary,dns=a+", "certificate:cn= canary"],
      [
        "certificate:cn=canary,key=ed25519,bits=2048",
        "certificate:cn=canary,key=x25519",
        "certificate:cn=canary,dns=+",
      ],
    ].flat(),
  )("refuses %j with the kinds and options, and without repeating it", (text) => {
    expect(() => parseGeneratorSpec(text)).toThrow(
      expect.objectContaining({
        code: "E_USAGE",
        message: expect.not.stringContaining("canary"),
        hints: expect.arrayContaining(["hex  bytes=32 (16 to 1024)", "ed25519"]),
      }),
    );
  });

  it("throws only E_USAGE, whatever the text", () => {
    const parts = fc.constantFrom(
      "password",
      "hex",
      "uuid",
      "ssh",
      "certificate",
      ":",
      "=",
      ",",
      "bytes",
      "length",
      "true",
      "false",
      "32",
      "x",
      "cn",
      "dns",
      "key",
      "rsa",
      "+",
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
    { kind: "certificate", cn: "test", dns: "test" },
    { kind: "certificate", cn: 1 },
    { kind: "certificate", cn: "a\nb" },
    { kind: "certificate", cn: "test", ip: ["fe80::1%eth0"] },
    { kind: "certificate", cn: "test", bits: undefined },
    { kind: "ssh", comment: null },
    { kind: "uuid", version: "7" },
  ])("refuses %j", (written) => {
    expect(() => parseGeneratorOptions(written)).toThrow(expect.objectContaining({ code: "E_USAGE" }));
  });
});
