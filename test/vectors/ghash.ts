import { createCipheriv } from "node:crypto";

/**
 * The algebra of GCM (NIST SP 800-38D): blocks are elements of GF(2^128), the tag is a
 * polynomial in H = AES(key, 0) plus a mask. For making colliding test records only; it is
 * slow and not constant-time.
 */
const reduction = 0xe1n << 120n;

/** Product in GF(2^128) with GCM's bit order (SP 800-38D, algorithm 1). */
export function multiply(x: bigint, y: bigint): bigint {
  let product = 0n;
  let factor = y;
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((x >> bit) & 1n) product ^= factor;
    factor = factor & 1n ? (factor >> 1n) ^ reduction : factor >> 1n;
  }
  return product;
}

/** `x` to the power `exponent`, which is at least 1. */
export function power(x: bigint, exponent: bigint): bigint {
  if (exponent === 1n) return x;
  const half = power(x, exponent >> 1n);
  const square = multiply(half, half);
  return exponent & 1n ? multiply(square, x) : square;
}

/** The inverse of a non-zero `x`: x to the power 2^128 - 2. */
export function invert(x: bigint): bigint {
  return power(x, (1n << 128n) - 2n);
}

/** H, the key of GHASH. */
export function hashKey(key: Uint8Array): bigint {
  return encryptBlock(key, Buffer.alloc(16));
}

/** What the polynomial is added to for the tag: AES(key, nonce || 1). */
export function tagMask(key: Uint8Array, nonce: Uint8Array): bigint {
  return encryptBlock(key, Buffer.concat([nonce, Buffer.of(0, 0, 0, 1)]));
}

/** GHASH of blocks (SP 800-38D, algorithm 2). */
export function ghash(h: bigint, blocks: readonly bigint[]): bigint {
  return blocks.reduce((state, block) => multiply(state ^ block, h), 0n);
}

/** The zero-filled 16-byte blocks of `bytes`. */
export function toBlocks(bytes: Uint8Array): bigint[] {
  const padded = Buffer.alloc(Math.ceil(bytes.length / 16) * 16);
  padded.set(bytes);
  return Array.from({ length: padded.length / 16 }, (_, index) =>
    fromBytes(padded.subarray(index * 16, index * 16 + 16)),
  );
}

/** The 16 bytes of a block. */
export function toBytes(block: bigint): Buffer {
  return Buffer.from(block.toString(16).padStart(32, "0"), "hex");
}

function fromBytes(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

function encryptBlock(key: Uint8Array, block: Uint8Array): bigint {
  const cipher = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
  return fromBytes(cipher.update(block));
}
