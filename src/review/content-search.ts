import { ByteSearch } from "./byte-search.ts";
import { TextPosition } from "./text-position.ts";
import { usualTokenBytes, type TokenShape } from "./token-shapes.ts";
import type { Needle } from "./wanted-values.ts";

/** What was found, without a byte of it. */
export type Found =
  | { readonly kind: "own-value"; readonly needle: Needle }
  | { readonly kind: "token"; readonly shape: TokenShape };

export interface Hit {
  /** Both from 1; a column is in UTF-16 code units of UTF-8 text. */
  readonly line: number;
  readonly column: number;
  readonly found: Found;
}

export interface SearchResult {
  /** In the order of the text; at most {@link maxHits}. */
  readonly hits: readonly Hit[];
  /** How many more there are than `hits` holds. */
  readonly more: number;
  /** How many stand on a line that says {@link allowMark}. */
  readonly allowed: number;
}

/** On a line with this nothing is found. */
const allowMark = Buffer.from("sealtree:allow");
/** How far from a match the mark may be. */
const markReach = 1024;
export const maxHits = 1000;
/** How much is searched at once. */
const usualSliceBytes = 4 * 1024 * 1024;

interface Match {
  readonly start: number;
  readonly end: number;
  readonly found: Found;
}

/** Looks for values and token shapes in any number of texts. */
export class ContentSearch {
  readonly #needles: readonly Needle[];
  readonly #values: ByteSearch;
  readonly #shapes: readonly TokenShape[];
  readonly #starts: ByteSearch;
  /** How many bytes after a place decide what is found there. */
  readonly reach: number;

  constructor(needles: readonly Needle[], shapes: readonly TokenShape[]) {
    this.#needles = needles;
    this.#values = new ByteSearch(needles.map(({ bytes }) => bytes));
    this.#shapes = shapes.flatMap((shape) => shape.starts.map(() => shape));
    this.#starts = new ByteSearch(shapes.flatMap(({ starts }) => starts.map((start) => Buffer.from(start))));
    const longestValue = needles.reduce((most, { bytes }) => Math.max(most, bytes.length), 0);
    const longestToken = shapes.reduce((most, shape) => Math.max(most, shape.maxBytes ?? usualTokenBytes), 0);
    this.reach = longestValue + longestToken + markReach;
  }

  /** A search of one text, at least `sliceBytes` at a time. */
  open(sliceBytes = usualSliceBytes): TextSearch {
    return new TextSearch(this, sliceBytes);
  }

  /** `text` with every match replaced by `mask`, and what was found. */
  maskIn(text: string, mask: string): { readonly text: string; readonly found: readonly Found[] } {
    const bytes = Buffer.from(text);
    const matches = this.findIn(bytes, 0, bytes.length);
    let [masked, from] = ["", 0];
    for (const { start, end } of matches) {
      if (start >= from) masked += bytes.toString("utf8", from, start) + mask;
      from = Math.max(from, end);
    }
    return { text: masked + bytes.toString("utf8", from), found: matches.map(({ found }) => found) };
  }

  /** Matches that begin from `from` and before `to`, in order; a token that overlaps a value is none. */
  findIn(text: Buffer, from: number, to: number): Match[] {
    const values = this.#values.search(text).flatMap(({ pattern, start }): Match[] => {
      const needle = this.#needles[pattern];
      if (needle === undefined) return [];
      return [{ start, end: start + needle.bytes.length, found: { kind: "own-value", needle } }];
    });
    values.sort((a, b) => a.start - b.start || b.end - a.end);
    const overlaps = overlapWith(values);
    const tokens = this.#starts.search(text).flatMap(({ pattern, start }): Match[] => {
      const shape = start < from || start >= to ? undefined : this.#shapes[pattern];
      if (shape === undefined) return [];
      const end = start + lengthOfToken(text, start, shape);
      return end === start || overlaps(start, end) ? [] : [{ start, end, found: { kind: "token", shape } }];
    });
    if (tokens.length === 0) return values.filter(({ start }) => start >= from && start < to);
    return [...values.filter(({ start }) => start >= from && start < to), ...tokens].sort(
      (a, b) => a.start - b.start || b.end - a.end,
    );
  }
}

/** Tells whether any of `matches`, sorted by their starts, has a byte from `start` and before `end`. */
function overlapWith(matches: readonly Match[]): (start: number, end: number) => boolean {
  let furthest = 0;
  const furthestEnds = matches.map(({ end }) => (furthest = Math.max(furthest, end)));
  return (start, end) => {
    let [low, high] = [0, matches.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((matches[middle]?.start ?? 0) < end) low = middle + 1;
      else high = middle;
    }
    return low > 0 && (furthestEnds[low - 1] ?? 0) > start;
  };
}

/** Length of the token that begins at `start`; 0 for none, as for one from an example. */
function lengthOfToken(text: Buffer, start: number, { pattern, maxBytes, isDashed }: TokenShape): number {
  // An escaped line break before it is no letter.
  const before = text.toString("latin1", Math.max(0, start - 2), start).replace(/\\[nrt]$/, "");
  if ((isDashed === true ? /[A-Za-z0-9_-]$/ : /[A-Za-z0-9_]$/).test(before)) return 0;
  pattern.lastIndex = 0;
  const token = pattern.exec(text.toString("latin1", start, start + (maxBytes ?? usualTokenBytes)))?.[0] ?? "";
  const isMadeUp = new Set(token.slice(4)).size < 8 || token.endsWith("EXAMPLE");
  return isMadeUp ? 0 : token.length;
}

/**
 * A search of one text that comes in pieces; how it is cut makes no difference. Holds a slice of
 * some megabytes at a time.
 */
export class TextSearch {
  readonly #content: ContentSearch;
  readonly #sliceBytes: number;
  readonly #position = new TextPosition();
  readonly #hits: Hit[] = [];
  /** By addresses: where the last form of their value ended. */
  readonly #last = new Map<string, { end: number; line: number }>();
  /** Pieces that are not searched to their end. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Offset of the first byte that is held. */
  #heldFrom = 0;
  /** Everything that begins before this offset is done with. */
  #settled = 0;
  #more = 0;
  #allowed = 0;

  constructor(content: ContentSearch, sliceBytes: number) {
    this.#content = content;
    this.#sliceBytes = Math.max(sliceBytes, content.reach * 2);
  }

  /** Takes the next bytes, which stay as they are until {@link end}. */
  push(bytes: Uint8Array): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > this.#sliceBytes) {
      const text = this.#join();
      this.#settle(text, this.#heldFrom + text.length - this.#content.reach);
      const from = Math.max(0, this.#settled - this.#content.reach - this.#heldFrom);
      this.#position.advance(text, this.#heldFrom, this.#heldFrom + from);
      this.#held = [text.subarray(from)];
      this.#heldBytes -= from;
      this.#heldFrom += from;
    }
  }

  /** What was found, when nothing follows. */
  end(): SearchResult {
    this.#settle(this.#join(), this.#heldFrom + this.#heldBytes);
    return { hits: this.#hits, more: this.#more, allowed: this.#allowed };
  }

  #join(): Buffer {
    const [only] = this.#held;
    if (only === undefined || this.#held.length > 1) return Buffer.concat(this.#held);
    return Buffer.from(only.buffer, only.byteOffset, only.length);
  }

  #settle(text: Buffer, to: number): void {
    const from = this.#heldFrom;
    for (const { start, end, found } of this.#content.findIn(text, this.#settled - from, to - from)) {
      this.#position.advance(text, from, from + start);
      const { line, column } = this.#position;
      if (found.kind === "own-value" && this.#isKnown(found.needle, from + end, line, from + start)) continue;
      if (isAllowed(text, start, end)) this.#allowed += 1;
      else if (this.#hits.length < maxHits) this.#hits.push({ line, column, found });
      else this.#more += 1;
    }
    this.#settled = to;
  }

  /** True for another form of a value that was just found: in the same bytes, the same line, or line after line. */
  #isKnown({ addresses, encoding, lineEnds }: Needle, end: number, line: number, start: number): boolean {
    const key = addresses.join("\n");
    const last = this.#last.get(key);
    const nextLine = encoding === "line" ? 1 : 0;
    const isKnown = last !== undefined && (start < last.end || line <= last.line + nextLine);
    this.#last.set(key, { end: Math.max(end, last?.end ?? 0), line: Math.max(line + lineEnds, last?.line ?? 0) });
    return isKnown;
  }
}

/** True when the line of a match, or of its ends, has the mark. */
function isAllowed(text: Buffer, start: number, end: number): boolean {
  const from = Math.max(0, start - markReach);
  const to = Math.min(text.length, end + markReach);
  const lineStart = text.subarray(from, start).lastIndexOf(10);
  const lineEnd = text.subarray(end, to).indexOf(10);
  return text
    .subarray(lineStart < 0 ? from : from + lineStart + 1, lineEnd < 0 ? to : end + lineEnd)
    .includes(allowMark);
}
