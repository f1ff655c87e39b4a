/**
 * The length a frame of `length` bytes is padded to, so that a record's size says little
 * about its value: 64 up to 64, the next multiple of 64 up to 1024, then Padmé
 * (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", 2019, algorithm 1).
 */
export function paddedLength(length: number): number {
  if (length <= 64) return 64;
  if (length <= 1024) return Math.ceil(length / 64) * 64;
  const exponent = Math.floor(Math.log2(length));
  const mantissaBits = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** (exponent - mantissaBits);
  return Math.ceil(length / step) * step;
}
