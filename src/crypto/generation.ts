import { createHash, hkdfSync, timingSafeEqual } from "node:crypto";
import { compareText } from "../secret/text-order.ts";
import { encodeParts } from "./pae.ts";
import type { RandomSource } from "./random.ts";
import { maxTimeSeconds } from "./time.ts";

/** Member name to the fingerprints of that member's recipients. */
export type ReaderList = ReadonlyMap<string, readonly string[]>;

/** What a generation's age file holds (docs/format.md, Generation). */
export interface GenerationPayload {
  readonly dek: Uint8Array;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** Generation this one replaces, 32 hex digits; undefined for the first of a scope. */
  readonly previous: string | undefined;
  /** SHA-256 that binds the clear list of readers it was minted for. */
  readonly mintedForHash: Uint8Array;
  readonly scope: string;
}

const version = 0x01;
const dekBytes = 32;
const fixedBytes = 1 + dekBytes + 8 + 16 + 32 + 2;

/** A fresh data key. */
export function generateDek(random: RandomSource): Uint8Array {
  return random(dekBytes);
}

/**
 * The name a data key has in a scope, 32 hex digits. It is derived from the key, so a
 * swapped keyring file cannot keep its name.
 */
export function generationId(dek: Uint8Array, scope: string): string {
  const info = Buffer.concat([
    Buffer.from("sealtree/generation/v1\0"),
    createHash("sha256")
      .update(encodeParts([scope]))
      .digest(),
  ]);
  return Buffer.from(hkdfSync("sha256", dek, "", info, 16)).toString("hex");
}

/** SHA-256 over the sorted `name fingerprint` pairs of a reader list. */
export function hashReaders(readers: ReaderList): Uint8Array {
  const pairs = [...readers].flatMap(([name, fingerprints]) => fingerprints.map((print) => `${name} ${print}`));
  return createHash("sha256")
    .update(encodeParts(pairs.sort(compareText)))
    .digest();
}

/** The bytes that are wrapped to the readers. */
export function encodeGeneration(payload: GenerationPayload): Uint8Array {
  const scope = Buffer.from(payload.scope, "utf8");
  const out = Buffer.alloc(fixedBytes + scope.length);
  out[0] = version;
  out.set(payload.dek, 1);
  out.writeBigUInt64BE(BigInt(payload.createdAt), 33);
  if (payload.previous !== undefined) out.write(payload.previous, 41, 16, "hex");
  out.set(payload.mintedForHash, 57);
  out.writeUInt16BE(scope.length, 89);
  out.set(scope, fixedBytes);
  return out;
}

/** The reverse of {@link encodeGeneration}; undefined when `bytes` are anything else. */
export function decodeGeneration(bytes: Uint8Array): GenerationPayload | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < fixedBytes || buffer[0] !== version) return undefined;
  if (buffer.length !== fixedBytes + buffer.readUInt16BE(89)) return undefined;
  const createdAt = buffer.readBigUInt64BE(33);
  if (createdAt > BigInt(maxTimeSeconds)) return undefined;
  const previous = buffer.toString("hex", 41, 57);
  return {
    dek: buffer.subarray(1, 33),
    createdAt: Number(createdAt),
    previous: /^0+$/.test(previous) ? undefined : previous,
    mintedForHash: buffer.subarray(57, 89),
    scope: buffer.toString("utf8", fixedBytes),
  };
}

/** Constant-time comparison of two reader hashes. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
