import { createHash } from "node:crypto";
import { generationId } from "../../src/crypto/generation.ts";
import type { RandomSource } from "../../src/crypto/random.ts";

/** Data keys of the vectors: readable ASCII, so that nobody takes them for real ones. */
export const firstDek = Buffer.from("sealtree test key 1, not secret!", "ascii");
export const secondDek = Buffer.from("sealtree test key 2, not secret!", "ascii");

/** X25519 scalar, age identity and recipient of the vectors' only reader. */
export const testScalar = Buffer.from("sealtree test identity 1, public", "ascii");
export const testIdentity = "AGE-SECRET-KEY-1WDJKZMR5WFJK2GR5V4EHGGRFV3JKUARFW3UJQVFVYPC82CNVD93SLC4HYR";
export const testRecipient = "age1f4kzyvjurtj3cn4mpmayrezqkx4jdw9nr3qruteq6vjcrur894kqtmkyf9";

/** A second recipient, in the vectors with two stanzas. */
export const otherScalar = Buffer.from("sealtree test identity 2, public", "ascii");
export const otherRecipient = "age1q6n0a37s8clqv3fdtu3fmynvr9hkhnj3zh83e0mppdevdt89ms5qmhyjl6";

export const testScope = "prod/api";
export const firstGeneration = generationId(firstDek, testScope);
export const secondGeneration = generationId(secondDek, testScope);

/** 2026-01-01T00:00:00Z, in seconds since 1970. */
export const testTime = 1_767_225_600;

/** Bytes that only depend on `label`: SHA-256 of `label counter`, one block after another. */
export function fixedRandom(label: string): RandomSource {
  let counter = 0;
  return (size) => {
    const blocks: Buffer[] = [];
    for (let made = 0; made < size; made += 32) blocks.push(sha256(`${label} ${counter++}`));
    return Buffer.concat(blocks).subarray(0, size);
  };
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
