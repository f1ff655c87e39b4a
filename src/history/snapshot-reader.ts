import { readSealedHeader, type SealedHeader } from "../crypto/sealed-header.ts";
import { isSealtreeError, type SealtreeError } from "../errors.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { parseScopeFile, type ScopeEntries } from "../store/scope-file.ts";
import { findChangedLines } from "./changed-lines.ts";

/** What stands for a secret in a version of a scope file, or why it cannot be read. */
export type SeenRecord = SealedHeader | SealtreeError;
export type SeenScope = ReadonlyMap<SecretName, SeenRecord>;

interface Version {
  readonly bytes: Buffer;
  /** Where the two head lines end. */
  readonly headEnd: number;
  readonly seen: SeenScope;
}

const newline = 0x0a;

/**
 * Reads version after version of one scope's file as parseScopeFile does, and parses only the
 * lines that the version before did not have: most commits change one of many.
 */
export class SnapshotReader {
  readonly #scope: ScopePath;
  #last: Version | undefined;

  constructor(scope: ScopePath) {
    this.#scope = scope;
  }

  /** The secrets of a version, in no order. Throws what parseScopeFile throws. */
  read(file: Uint8Array): SeenScope {
    const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
    const quick = this.#last === undefined ? undefined : this.#readChanged(this.#last, bytes);
    this.#last = undefined;
    const seen = quick ?? readHeaders(parseScopeFile(bytes, this.#scope));
    this.#last = { bytes, seen, headEnd: bytes.indexOf(newline, bytes.indexOf(newline) + 1) + 1 };
    return seen;
  }

  /** Undefined for all that is not plainly right: the strict reader says what is wrong with it. */
  #readChanged(last: Version, bytes: Buffer): SeenScope | undefined {
    const { start, oldEnd, newEnd } = findChangedLines(last.bytes, bytes);
    if (start === bytes.length && start === last.bytes.length) return last.seen;
    if (start < last.headEnd || bytes.at(-1) !== newline) return undefined;
    const [gone, fresh] = [last.bytes.subarray(start, oldEnd), bytes.subarray(start, newEnd)];
    const lineAbove = bytes.lastIndexOf(newline, start - 2) + 1;
    // A comment belongs to the record below it.
    if (bytes[lineAbove] === 0x23 || hasComment(gone) || hasComment(fresh)) return undefined;
    const seen = new Map(last.seen);
    for (const line of gone.toString("latin1").split("\n")) {
      const name = /^"?([^":]+)"?: /.exec(line)?.[1];
      if (name !== undefined) seen.delete(name as SecretName);
    }
    try {
      const added = parseScopeFile(Buffer.concat([bytes.subarray(0, last.headEnd), fresh]), this.#scope);
      for (const [name, record] of readHeaders(added)) {
        if (seen.has(name)) return undefined;
        seen.set(name, record);
      }
    } catch (error) {
      if (isSealtreeError(error)) return undefined;
      throw error;
    }
    return seen;
  }
}

function hasComment(lines: Buffer): boolean {
  return lines[0] === 0x23 || lines.includes("\n#");
}

function readHeaders(entries: ScopeEntries): SeenScope {
  return new Map([...entries].map(([name, { record }]) => [name, readHeader(record)]));
}

function readHeader(record: string): SeenRecord {
  try {
    return readSealedHeader(record);
  } catch (error) {
    if (isSealtreeError(error)) return error;
    throw error;
  }
}
