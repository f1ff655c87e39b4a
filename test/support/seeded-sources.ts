import { createHash } from "node:crypto";
import type { RandomSource } from "../../src/crypto/random.ts";
import type { ValueSources } from "../../src/rotation/generators/generator.ts";

/** SHA-256 in counter mode: the same bytes on every run. */
export function seededRandom(seed: string): RandomSource {
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

/** The time of {@link seededSources}. */
export const seededNow = new Date("2026-03-01T12:34:56.789Z");

/** {@link seededRandom} at one moment. */
export function seededSources(seed: string): ValueSources {
  return { random: seededRandom(seed), now: () => seededNow };
}
