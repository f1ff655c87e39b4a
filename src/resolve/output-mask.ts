import type { Secret } from "../secret/secret.ts";
import { MaskMatcher } from "./mask-matcher.ts";
import { maskPatterns } from "./mask-patterns.ts";

/** What stands in the output where a value stood. */
const maskText = "[masked]";

/** Masks one stream of output. Bytes go in and come out in order, whatever they are. */
export interface OutputMask {
  /** The masked bytes that are certain so far; what may be the start of a value is held back. */
  push(chunk: Uint8Array): Buffer;
  /** The rest, once nothing follows. */
  end(): Buffer;
}

/** Stretch of bytes that holds one value or several that overlap; `end` is exclusive. */
interface Covered {
  readonly start: number;
  end: number;
  announced: boolean;
}

/**
 * A maker of masks, one for each stream, that share one matcher. Every byte that belongs to a
 * form of a value ({@link maskPatterns}) is taken out, and each stretch of overlapping forms
 * becomes one `[masked]`. The result does not depend on how the stream is cut into chunks.
 */
export function createOutputMask(secrets: Iterable<Secret>): () => OutputMask {
  const matcher = new MaskMatcher(maskPatterns(secrets));
  return () => new StreamMask(matcher);
}

class StreamMask implements OutputMask {
  readonly #matcher: MaskMatcher;
  readonly #mark = Buffer.from(maskText);
  #state = 0;
  /** Bytes not yet written, and the offset of the first of them in the stream. */
  #held: Buffer = Buffer.alloc(0);
  #heldFrom = 0;
  /** Disjoint, in order; none ends before `#heldFrom`. */
  #covered: Covered[] = [];

  constructor(matcher: MaskMatcher) {
    this.#matcher = matcher;
  }

  push(chunk: Uint8Array): Buffer {
    let position = this.#heldFrom + this.#held.length;
    for (const byte of chunk) {
      this.#state = this.#matcher.next(this.#state, byte);
      position += 1;
      const length = this.#matcher.longest(this.#state);
      if (length > 0) this.#cover(position - length, position);
    }
    this.#held = Buffer.concat([this.#held, chunk]);
    return this.#release(position - this.#matcher.depth(this.#state));
  }

  end(): Buffer {
    this.#state = 0;
    return this.#release(this.#heldFrom + this.#held.length);
  }

  #cover(from: number, end: number): void {
    let start = from;
    for (let last = this.#covered.at(-1); last !== undefined && last.end > start; last = this.#covered.at(-1)) {
      if (last.announced) {
        last.end = end;
        return;
      }
      start = Math.min(start, last.start);
      this.#covered.pop();
    }
    this.#covered.push({ start, end, announced: false });
  }

  /** Writes what stands before `limit`; no value that is still to come can begin there. */
  #release(limit: number): Buffer {
    const parts: Buffer[] = [];
    let from = this.#heldFrom;
    for (let stretch = this.#covered[0]; stretch !== undefined && stretch.start < limit; stretch = this.#covered[0]) {
      if (!stretch.announced) parts.push(this.#slice(from, stretch.start), this.#mark);
      stretch.announced = true;
      from = Math.min(stretch.end, limit);
      if (stretch.end > limit) break;
      this.#covered.shift();
    }
    parts.push(this.#slice(from, limit));
    this.#held = this.#held.subarray(limit - this.#heldFrom);
    this.#heldFrom = limit;
    return Buffer.concat(parts);
  }

  #slice(from: number, to: number): Buffer {
    return this.#held.subarray(from - this.#heldFrom, to - this.#heldFrom);
  }
}
