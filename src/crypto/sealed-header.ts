import { isSealtreeError, SealtreeError } from "../errors.ts";
import { parseHeader } from "./age-header.ts";
import { parseBase64url } from "./base64url.ts";
import { parseRecordHeader, type RecordHeader } from "./record.ts";
import { maxTimeSeconds } from "./time.ts";

/** What anybody can read of a drop, without a key. */
export interface DropHeader {
  /** New when the value was set; the record that adopts the drop keeps it. 16 hex digits. */
  readonly valueId: string;
  /** Time the value was set, in seconds since 1970. */
  readonly createdAt: number;
  /** How many recipients it is sealed to. Who they are is not said. */
  readonly stanzas: number;
}

/** What anybody can read of what stands in a scope file for a secret: a record, or a drop. */
export type SealedHeader =
  | ({ readonly kind: "record" } & RecordHeader)
  | ({ readonly kind: "drop"; readonly generation: undefined } & DropHeader);

/** The parts of a drop that is well formed. */
export interface ParsedDrop {
  readonly header: DropHeader;
  /** The header as it was written. */
  readonly headerBytes: Uint8Array;
  /** A binary age file. */
  readonly ageFile: Uint8Array;
}

export const dropPrefix = "st1d.";
export const dropVersion = 0x01;
export const dropHeaderBytes = 17;
/** Longest drop in bytes: the largest value, sealed to 256 post-quantum recipients. */
export const maxDropBytes = 1_500_000;
/** Longest drop, in characters. */
export const maxDropChars = dropPrefix.length + (maxDropBytes * 4) / 3;

const ageVersionLine = Buffer.from("age-encryption.org/v1\n", "latin1");
/** Nonce of the payload and tag of its last chunk. */
const minAgePayloadBytes = 16 + 16;

/** True for what begins like a drop, a value of a writer who may not read; a record does not. */
export function isDrop(sealed: string): boolean {
  return sealed.startsWith(dropPrefix);
}

/** The header of a record or a drop. Throws E_RECORD_MALFORMED unless the whole is well formed. */
export function readSealedHeader(sealed: string): SealedHeader {
  if (isDrop(sealed)) return { kind: "drop", generation: undefined, ...parseDropHeader(sealed) };
  return { kind: "record", ...parseRecordHeader(sealed) };
}

/** The header of a drop. Throws E_RECORD_MALFORMED unless drop and age header are well formed. */
export function parseDropHeader(drop: string): DropHeader {
  return parseDrop(drop).header;
}

/** The parts of a drop (docs/format.md, Drop). Needs no key. Throws E_RECORD_MALFORMED. */
export function parseDrop(drop: string): ParsedDrop {
  const bytes = isDrop(drop) && drop.length <= maxDropChars ? parseBase64url(drop.slice(dropPrefix.length)) : undefined;
  if (bytes === undefined || bytes.length < dropHeaderBytes || bytes[0] !== dropVersion) throw malformedDrop();
  const headerBytes = Buffer.from(bytes.buffer, bytes.byteOffset, dropHeaderBytes);
  const createdAt = headerBytes.readBigUInt64BE(9);
  if (createdAt > BigInt(maxTimeSeconds)) {
    throw new SealtreeError("E_RECORD_MALFORMED", "the drop has an impossible time");
  }
  const ageFile = bytes.subarray(dropHeaderBytes);
  const header = {
    valueId: headerBytes.toString("hex", 1, 9),
    createdAt: Number(createdAt),
    stanzas: countStanzas(ageFile),
  };
  return { header, headerBytes, ageFile };
}

/** Also refuses armor, which every other reader of age files allows. */
function countStanzas(ageFile: Uint8Array): number {
  if (Buffer.compare(ageFile.subarray(0, ageVersionLine.length), ageVersionLine) !== 0) throw malformedDrop();
  try {
    const { stanzas, bytes } = parseHeader(ageFile);
    if (ageFile.length - bytes.length < minAgePayloadBytes) throw malformedDrop();
    return stanzas.length;
  } catch (error) {
    if (isSealtreeError(error)) throw malformedDrop();
    throw error;
  }
}

function malformedDrop(): SealtreeError {
  return new SealtreeError("E_RECORD_MALFORMED", "the drop is malformed", {
    hints: ["take the line from an earlier commit: git log -p -- FILE; or ask its writer to set it again"],
  });
}
