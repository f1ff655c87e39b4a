import type { RandomSource } from "../../crypto/random.ts";

/**
 * `count` indexes below `size` (1 to 65536), uniform and independent: a draw of one byte, or of
 * two where `size` is above 256, that would favour the low indexes is thrown away, not reduced
 * (rejection sampling).
 */
export function randomIndexes(count: number, size: number, random: RandomSource): number[] {
  const width = size > 256 ? 2 : 1;
  const range = 256 ** width;
  const limit = range - (range % size);
  const indexes: number[] = [];
  for (let attempt = 0; indexes.length < count; attempt++) {
    if (attempt === 100) throw new Error("the random source repeats itself");
    const bytes = Buffer.from(random((count - indexes.length) * width));
    for (let at = 0; at + width <= bytes.length; at += width) {
      const drawn = bytes.readUIntBE(at, width);
      if (drawn < limit) indexes.push(drawn % size);
    }
  }
  return indexes;
}

/**
 * A whole number from 1 to `order` - 1, uniform, as big-endian bytes of the length of `order`:
 * a draw of as many bits as `order` has that is out of bounds is thrown away (FIPS 186-5,
 * appendix A.2.2).
 */
export function randomScalar(order: bigint, random: RandomSource): Uint8Array {
  const bits = order.toString(2).length;
  const size = Math.ceil(bits / 8);
  for (let attempt = 0; attempt < 100; attempt++) {
    const bytes = Buffer.from(random(size));
    bytes[0] = (bytes[0] ?? 0) & (0xff >> (size * 8 - bits));
    const drawn = BigInt(`0x${bytes.toString("hex")}`);
    if (drawn > order - 2n) continue;
    return Buffer.from((drawn + 1n).toString(16).padStart(size * 2, "0"), "hex");
  }
  throw new Error("the random source repeats itself");
}
