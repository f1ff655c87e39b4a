import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeGeneration,
  encodeGeneration,
  generateDek,
  generationId,
  hashReaders,
  sameHash,
  type GenerationPayload,
} from "../../src/crypto/generation.ts";
import { compareText } from "../../src/secret/text-order.ts";
import { firstDek, fixedRandom, secondDek } from "../vectors/test-keys.ts";

const bytes = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
const id = bytes(16)
  .filter((raw) => raw.some((byte) => byte !== 0))
  .map((raw) => Buffer.from(raw).toString("hex"));
const payload: fc.Arbitrary<GenerationPayload> = fc.record({
  dek: bytes(32),
  createdAt: fc.nat({ max: 253_402_300_799 }),
  previous: fc.option(id, { nil: undefined }),
  mintedForHash: bytes(32),
  scope: fc.stringMatching(/^[a-z][a-z0-9]{0,9}(?:\/[a-z0-9]{1,9}){0,3}$/),
});
const member = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
const fingerprint = bytes(8).map((raw) => Buffer.from(raw).toString("hex"));
const readers = fc.array(fc.tuple(member, fc.uniqueArray(fingerprint, { minLength: 1, maxLength: 3 })), {
  maxLength: 4,
});

describe("a generation payload", () => {
  it("gives every field back", () => {
    fc.assert(
      fc.property(payload, (given) => {
        const got = decodeGeneration(encodeGeneration(given));
        expect(
          got && { ...got, dek: Uint8Array.from(got.dek), mintedForHash: Uint8Array.from(got.mintedForHash) },
        ).toEqual(given);
      }),
    );
  });

  it("is not read when it is cut or has bytes after it", () => {
    fc.assert(
      fc.property(payload, fc.nat(), bytes(1), (given, at, extra) => {
        const encoded = encodeGeneration(given);
        expect(decodeGeneration(encoded.subarray(0, at % encoded.length))).toBeUndefined();
        expect(decodeGeneration(Buffer.concat([encoded, extra]))).toBeUndefined();
      }),
    );
  });

  it("is read from a view of a larger buffer", () => {
    const given = {
      dek: firstDek,
      createdAt: 7,
      previous: undefined,
      mintedForHash: Buffer.alloc(32, 1),
      scope: "dev/app",
    };
    const padded = Buffer.concat([Buffer.alloc(5, 9), encodeGeneration(given), Buffer.alloc(5, 9)]);
    expect(decodeGeneration(padded.subarray(5, -5))).toMatchObject({ createdAt: 7, scope: "dev/app" });
  });
});

describe("generationId", () => {
  it("differs by key and by scope, and is the same each time", () => {
    const ids = [
      generationId(firstDek, "a/b"),
      generationId(secondDek, "a/b"),
      generationId(firstDek, "a"),
      generationId(firstDek, "a/b"),
    ];
    expect(new Set(ids).size).toBe(3);
    expect(ids[3]).toBe(ids[0]);
    expect(ids.every((text) => /^[0-9a-f]{32}$/.test(text))).toBe(true);
  });
});

describe("hashReaders", () => {
  it("does not depend on the order of members or fingerprints", () => {
    fc.assert(
      fc.property(readers, (list) => {
        const turned = [...new Map(list)].reverse().map(([name, prints]) => [name, [...prints].reverse()] as const);
        expect(hashReaders(new Map(turned))).toEqual(hashReaders(new Map(list)));
      }),
    );
  });

  it("differs for different lists", () => {
    const canonical = (list: [string, string[]][]) =>
      JSON.stringify(
        [...new Map(list)].flatMap(([name, prints]) => prints.map((print) => `${name} ${print}`)).sort(compareText),
      );
    fc.assert(
      fc.property(readers, readers, (a, b) => {
        expect(sameHash(hashReaders(new Map(a)), hashReaders(new Map(b)))).toBe(canonical(a) === canonical(b));
      }),
    );
  });

  it("tells whose a fingerprint is", () => {
    const print = "0123456789abcdef";
    expect(hashReaders(new Map([["alice", [print]]]))).not.toEqual(hashReaders(new Map([["bob", [print]]])));
  });
});

describe("generateDek", () => {
  it("takes 32 bytes of the source", () => {
    expect(generateDek(fixedRandom("dek"))).toEqual(fixedRandom("dek")(32));
  });
});

describe("sameHash", () => {
  it("is false for another length", () => {
    expect(sameHash(Buffer.alloc(32), Buffer.alloc(31))).toBe(false);
  });
});
