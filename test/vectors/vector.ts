/** Verdict an implementation must reach on a vector's input. */
export type Verdict = "ok" | "malformed" | "integrity";

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export type Fields = { readonly [key: string]: Json };

/** One case. Byte strings are lower-case hex; `output` stands only where `expect` is `ok`. */
export interface Vector {
  readonly name: string;
  /** What the case is for, and what goes wrong in it. */
  readonly comment: string;
  readonly input: Fields;
  readonly expect: Verdict;
  readonly output?: Fields;
}

export interface VectorFile {
  readonly format: "sealtree 1";
  readonly about: string;
  readonly vectors: readonly Vector[];
}

/** The bytes of a vector file. */
export function printVectorFile(about: string, vectors: readonly Vector[]): string {
  const file: VectorFile = { format: "sealtree 1", about, vectors };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** Lower-case hex. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}
