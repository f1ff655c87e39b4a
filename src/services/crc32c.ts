/** CRC-32C of bytes (RFC 3720 section 12.1), as an unsigned number. It finds accidents, not attackers. */
export function crc32c(bytes: Uint8Array): number {
  let sum = 0xff_ff_ff_ff;
  for (const byte of bytes) sum = (table[(sum ^ byte) & 0xff] ?? 0) ^ (sum >>> 8);
  return (sum ^ 0xff_ff_ff_ff) >>> 0;
}

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let entry = index;
  for (let bit = 0; bit < 8; bit++) entry = (entry >>> 1) ^ ((entry & 1) === 1 ? 0x82_f6_3b_78 : 0);
  return entry;
});
