import type { RandomSource } from "../../crypto/random.ts";

/**
 * `count` indexes below `size` (1 to 256), uniform and independent: a byte that would favour
 * the low indexes is thrown away, not reduced (rejection sampling).
 */
export function randomIndexes(count: number, size: number, random: RandomSource): number[] {
  const limit = 256 - (256 % size);
  const indexes: number[] = [];
  for (let attempt = 0; indexes.length < count; attempt++) {
    if (attempt === 100) throw new Error("the random source repeats itself");
    const missing = count - indexes.length;
    for (const byte of random(missing)) if (byte < limit) indexes.push(byte % size);
  }
  return indexes;
}
