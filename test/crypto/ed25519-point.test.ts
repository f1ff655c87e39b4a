import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { importX25519Key } from "../../src/crypto/age-x25519.ts";
import { findMontgomeryKey } from "../../src/crypto/ed25519-point.ts";
import { ed25519Pair } from "../../src/crypto/ssh-key-pair.ts";

const prime = 2n ** 255n - 19n;

const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n;
const orderEight = Buffer.from("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "hex");
const d = (prime - 121_665n) * power(121_666n, prime - 2n);

/** A point of edwards25519 in extended coordinates (RFC 8032, section 5.1.4). */
interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly t: bigint;
}

function power(base: bigint, exponent: bigint): bigint {
  if (exponent === 0n) return 1n;
  const half = power((base * base) % prime, exponent / 2n);
  return exponent % 2n === 1n ? (half * base) % prime : half;
}

function findPoint(bytes: Uint8Array): Point | undefined {
  const value = BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
  const [sign, y] = [value >> 255n, value % 2n ** 255n];
  const ratio = ((y * y - 1n + prime) * power(d * y * y + 1n, prime - 2n)) % prime;
  const root = power(ratio, (prime + 3n) / 8n);
  const candidates = [root, (root * power(2n, (prime - 1n) / 4n)) % prime];
  const x = candidates.find((candidate) => (candidate * candidate) % prime === ratio);
  if (x === undefined || y >= prime) return undefined;
  return affine(x % 2n === sign ? x : prime - x, y);
}

function affine(x: bigint, y: bigint): Point {
  return { x, y, z: 1n, t: (x * y) % prime };
}

function add(one: Point, two: Point): Point {
  const a = (one.y - one.x) * (two.y - two.x);
  const b = (one.y + one.x) * (two.y + two.x);
  const c = 2n * d * one.t * two.t;
  const e = 2n * one.z * two.z;
  const product = (left: bigint, right: bigint) => (((left * right) % prime) + prime) % prime;
  return { x: product(b - a, e - c), y: product(e + c, b + a), z: product(e - c, e + c), t: product(b - a, b + a) };
}

function multiply(factor: bigint, point: Point): Point {
  if (factor === 0n) return affine(0n, 1n);
  const half = multiply(factor / 2n, add(point, point));
  return factor % 2n === 1n ? add(half, point) : half;
}

function isNeutral({ x, y, z }: Point): boolean {
  return x === 0n && y === z;
}

function printPoint({ x, y, z }: Point): Buffer {
  const inverse = power(z, prime - 2n);
  return littleEndian(((y * inverse) % prime) + (((x * inverse) % prime) % 2n) * 2n ** 255n);
}

function littleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
}

describe("findMontgomeryKey", () => {
  it("gives the X25519 key of the same private key", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        const scalar = createHash("sha512").update(seed).digest().subarray(0, 32);
        const point = ed25519Pair(seed).publicKey.blob.subarray(-32);
        expect(findMontgomeryKey(point)).toEqual(Buffer.from(importX25519Key(scalar).publicKey));
      }),
      { numRuns: 50 },
    );
  });

  it("takes exactly the points of the group of prime order, as multiplying by its order says", () => {
    const numbers = Array.from({ length: 96 }, (_, index) => createHash("sha256").update(`point ${index}`).digest());
    const points = numbers.map(findPoint);
    const areInGroup = points.map((point) => point !== undefined && isNeutral(multiply(groupOrder, point)));
    expect(points.filter((point) => point !== undefined).length).toBeGreaterThan(32);
    expect(areInGroup.filter((isInGroup) => isInGroup).length).toBeGreaterThan(1);
    expect(numbers.map((bytes) => findMontgomeryKey(bytes) !== undefined)).toEqual(areInGroup);
  });

  it("refuses a key with a part of small order, of which there are seven", () => {
    const key = findPoint(ed25519Pair(Buffer.alloc(32, 9)).publicKey.blob.subarray(-32));
    let torsion = findPoint(orderEight);
    if (key === undefined || torsion === undefined) throw new Error("no points");
    const step = torsion;
    for (let order = 1; order < 8; order++) {
      expect(findMontgomeryKey(printPoint(add(key, torsion)))).toBeUndefined();
      torsion = add(torsion, step);
    }
    expect(isNeutral(torsion)).toBe(true);
    expect(findMontgomeryKey(printPoint(add(key, torsion)))).toBeDefined();
  });

  it.each([
    ["the point at y = 1", littleEndian(1n)],
    ["the point at y = -1", littleEndian(prime - 1n)],
    ["y = 1 with the sign of a negative x", littleEndian(1n + 2n ** 255n)],
    ["the points of order 4", littleEndian(0n)],
    ["the other one of order 4", littleEndian(2n ** 255n)],
    ["a point of order 8", Buffer.from("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "hex")],
    ["another one", Buffer.from("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "hex")],
    ["its negative", Buffer.from("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "hex")],
    ["a number that is not below the prime", littleEndian(prime + 3n)],
    ["the prime", littleEndian(prime)],
    ["31 bytes", Buffer.alloc(31, 7)],
    ["33 bytes", Buffer.alloc(33, 7)],
    ["nothing", Buffer.alloc(0)],
  ])("refuses %s", (_, bytes) => {
    expect(findMontgomeryKey(bytes)).toBeUndefined();
  });

  it("gives the same answer twice", () => {
    const point = ed25519Pair(Buffer.alloc(32, 9)).publicKey.blob.subarray(-32);
    expect(findMontgomeryKey(point)).toEqual(findMontgomeryKey(Buffer.from(point)));
  });
});
