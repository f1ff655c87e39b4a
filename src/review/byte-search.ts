/** One place where a pattern stands. */
export interface ByteMatch {
  /** Which of the patterns, by its place in the list. */
  readonly pattern: number;
  /** Offset of its first byte. */
  readonly start: number;
}

const blockBits = 18;
const headBits = 16;
const none = -1;

/**
 * Finds every occurrence of many byte patterns (Wu and Manber, "A fast algorithm for
 * multi-pattern searching", 1994). Each pattern is known by a window of as many bytes as the
 * shortest has, from its middle, because beginnings are often alike. A block of the text that is in
 * no window lets the search skip almost a window; most of the text is never looked at.
 */
export class ByteSearch {
  readonly #patterns: readonly Uint8Array[];
  /** Length of a window, and of a block. */
  readonly #window: number;
  readonly #block: 2 | 3;
  /** Hash of a block to how far the search may go on; 0 where a window may end. */
  readonly #shift: Uint8Array;
  /** Hash of a window's beginning to the first pattern that has it, and from there to the next. */
  readonly #head = new Int32Array(1 << headBits).fill(none);
  readonly #next: Int32Array;
  /** Where a pattern's window begins in it. */
  readonly #offset: Int32Array;

  /** No pattern is shorter than 3 bytes. */
  constructor(patterns: readonly Uint8Array[]) {
    this.#patterns = patterns;
    // A shift is one byte.
    this.#window = patterns.reduce((least, { length }) => Math.min(least, length), 200);
    this.#block = this.#window < 6 ? 2 : 3;
    this.#shift = new Uint8Array(1 << blockBits).fill(this.#window - this.#block + 1);
    this.#next = new Int32Array(patterns.length).fill(none);
    this.#offset = new Int32Array(patterns.length);
    for (const [index, pattern] of patterns.entries()) this.#insert(index, pattern);
  }

  /** All matches that are whole in `text`, in no order. Of two patterns that are the same both are given. */
  search(text: Uint8Array): ByteMatch[] {
    const found: ByteMatch[] = [];
    if (this.#patterns.length === 0) return found;
    const shifts = this.#shift;
    const [window, isLong] = [this.#window, this.#block === 3];
    const length = text.length;
    for (let end = window - 1; end < length;) {
      const hash = isLong
        ? hash3(text[end - 2] as number, text[end - 1] as number, text[end] as number)
        : hash2(text[end - 1] as number, text[end] as number);
      const shift = shifts[hash] as number;
      if (shift === 0) {
        this.#check(text, end - window + 1, found);
        end += 1;
      } else end += shift;
    }
    return found;
  }

  #insert(index: number, pattern: Uint8Array): void {
    const offset = (pattern.length - this.#window) >> 1;
    this.#offset[index] = offset;
    for (let last = this.#block - 1; last < this.#window; last++) {
      const at = offset + last;
      const [a = 0, b = 0, c = 0] = [pattern[at - 2], pattern[at - 1], pattern[at]];
      const hash = this.#block === 3 ? hash3(a, b, c) : hash2(b, c);
      this.#shift[hash] = Math.min(this.#shift[hash] ?? 0, this.#window - 1 - last);
    }
    const head = headHash(pattern, offset);
    this.#next[index] = this.#head[head] ?? none;
    this.#head[head] = index;
  }

  /** Patterns whose window begins at `at`. */
  #check(text: Uint8Array, at: number, found: ByteMatch[]): void {
    let index = this.#head[headHash(text, at)] ?? none;
    for (; index !== none; index = this.#next[index] ?? none) {
      const start = at - (this.#offset[index] ?? 0);
      const pattern = this.#patterns[index];
      if (pattern !== undefined && start >= 0 && isAt(text, start, pattern)) found.push({ pattern: index, start });
    }
  }
}

function isAt(text: Uint8Array, start: number, pattern: Uint8Array): boolean {
  if (start + pattern.length > text.length) return false;
  for (let index = 0; index < pattern.length; index++) if (text[start + index] !== pattern[index]) return false;
  return true;
}

function hash3(a: number, b: number, c: number): number {
  return ((a << 10) ^ (b << 5) ^ c) & ((1 << blockBits) - 1);
}

function hash2(a: number, b: number): number {
  return (a << 8) | b;
}

function headHash(text: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0] = [text[at], text[at + 1], text[at + 2]];
  return ((a << 8) ^ (b << 4) ^ c) & ((1 << headBits) - 1);
}
