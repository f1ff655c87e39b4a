/** One string of a document, as a parser of its format reads it. */
export interface TemplateString {
  /** Offsets of all that is replaced when the string changes, in UTF-16 code units; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
  readonly value: string;
  /** True for the name of something, where no secret belongs. */
  readonly isKey: boolean;
}

/** What is put in place of a string. */
export interface Fill {
  /** The string that a parser shall read. */
  readonly value: string;
  /**
   * `raw`, the string as it is written, with every reference replaced by what `encode` makes of its
   * value, and everything else as it stands; undefined when the references are not written in plain.
   */
  readonly within: (raw: string, encode: (value: string) => string) => string | undefined;
}

/** How references are found in text of one format, and values put in. Pure. */
export interface TemplateFormat<T extends TemplateString> {
  /**
   * The strings of `text` that may have references, in order. Comments are no strings. Throws
   * E_INPUT_INVALID with the line, and no content, for text that is not of the format.
   */
  parse(text: string): T[];
  /**
   * What stands for `string` in the document with the value of `fill`: written as before where it
   * fits, so that a parser reads exactly that value there and all else as before. Undefined when
   * the format has no way to write it.
   */
  print(text: string, string: T, fill: Fill): string | undefined;
}

/** The first of `candidates` that `decode` reads as `value`. */
export function firstThatReads(
  value: string,
  candidates: Iterable<string | undefined>,
  decode: (written: string) => string | undefined,
): string | undefined {
  for (const written of candidates) if (written !== undefined && decode(written) === value) return written;
  return undefined;
}
