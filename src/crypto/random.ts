/** A source of `size` random bytes. Injected, so that vectors can be made again. */
export type RandomSource = (size: number) => Uint8Array;
