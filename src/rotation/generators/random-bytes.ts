import { z } from "zod";
import { Secret } from "../../secret/secret.ts";
import type { Generator } from "./generator.ts";

export interface RandomBytesOptions {
  /** Random bytes in the value, before they are written as text. */
  readonly bytes: number;
}

const options = z.strictObject({ bytes: z.int().min(16).max(1024).default(32) });
const optionHelp = ["bytes=32 (16 to 1024)"];

/** Random bytes as lower-case hexadecimal. */
export const hexGenerator = randomBytesGenerator("hex", "random bytes as hexadecimal");

/** Random bytes as base64 with padding. */
export const base64Generator = randomBytesGenerator("base64", "random bytes as base64");

/** Random bytes as base64url without padding. */
export const base64urlGenerator = randomBytesGenerator("base64url", "random bytes as base64url");

function randomBytesGenerator(name: "hex" | "base64" | "base64url", describe: string): Generator<RandomBytesOptions> {
  return {
    name,
    describe,
    optionHelp,
    options,
    generate: async ({ bytes }, { random }) => Secret.text(Buffer.from(random(bytes)).toString(name)),
    strength: ({ bytes }) => ({ kind: "entropy", bits: bytes * 8 }),
  };
}
