import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { SealtreeError } from "../errors.ts";
import type { Secret } from "../secret/secret.ts";
import { parseBase64url, printBase64url } from "./base64url.ts";
import { decodeFrame, encodeFrame, frameHeaderBytes, maxFrameBytes } from "./frame.ts";
import { paddedLength } from "./pad.ts";
import { encodeParts } from "./pae.ts";
import type { RandomSource } from "./random.ts";
import { maxTimeSeconds } from "./time.ts";

/** What a record is for: the live value, or one of the two that a rotation journal keeps. */
export type RecordPurpose = "value" | "pending" | "previous";

/** What anybody can read of a record, without a key. */
export interface RecordHeader {
  /** Generation the value is sealed under, 32 hex digits. */
  readonly generation: string;
  /** New when a value is set, kept when it is only sealed again; 16 hex digits. */
  readonly valueId: string;
  /** Time the value was set, in seconds since 1970. */
  readonly createdAt: number;
}

/** Where a record belongs; bound into its seal, so a record opens nowhere else. */
export interface RecordPlace {
  readonly scope: string;
  readonly name: string;
  readonly purpose: RecordPurpose;
}

const prefix = "st1.";
const suite = 0x01;
const headerBytes = 33;
const saltBytes = 24;
const commitmentBytes = 32;
const tagBytes = 16;
const frameOffset = headerBytes + saltBytes + commitmentBytes;
const protocol = "sealtree/value/v1";

/** Longest record, in characters. */
export const maxRecordChars = prefix.length + Math.ceil(((frameOffset + maxFrameBytes + tagBytes) * 4) / 3);

/** True when `text` begins like a record, whole or not. */
export function looksLikeRecord(text: string): boolean {
  return text.startsWith(prefix);
}

/** The header of a record. Throws E_RECORD_MALFORMED unless the whole record is well formed. */
export function parseRecordHeader(record: string): RecordHeader {
  return headerOf(parseRecord(record));
}

/**
 * Seals a value (docs/format.md, Record). `header` names the generation of `dek`.
 * Throws E_VALUE_TOO_LARGE. Two seals of one value never look alike.
 */
export function sealRecord(
  dek: Uint8Array,
  place: RecordPlace,
  header: RecordHeader,
  secret: Secret,
  random: RandomSource,
): string {
  const headerPart = encodeHeader(header);
  const context = encodeContext(place, headerPart);
  const frame = encodeFrame(place, secret);
  const saltKey = Buffer.from(hkdfSync("sha256", dek, "", "sealtree/salt/v1", 32));
  const salt = createHmac("sha256", saltKey)
    .update(encodeParts([random(32), context, frame]))
    .digest()
    .subarray(0, saltBytes);
  const { key, commitment, nonce } = deriveKeys(dek, salt, context);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(context);
  const ciphertext = Buffer.concat([cipher.update(frame), cipher.final()]);
  return prefix + printBase64url(Buffer.concat([headerPart, salt, commitment, ciphertext, cipher.getAuthTag()]));
}

/**
 * Opens a record with its generation's key. Releases nothing before every check passed:
 * grammar, commitment (constant time), tag, padding. Throws E_RECORD_MALFORMED or
 * E_RECORD_INTEGRITY, neither of which holds a byte of the value.
 */
export function openRecord(dek: Uint8Array, place: RecordPlace, record: string): Secret {
  const bytes = parseRecord(record);
  const context = encodeContext(place, bytes.subarray(0, headerBytes));
  const salt = bytes.subarray(headerBytes, headerBytes + saltBytes);
  const { key, commitment, nonce } = deriveKeys(dek, salt, context);
  if (!timingSafeEqual(commitment, bytes.subarray(headerBytes + saltBytes, frameOffset))) throw integrityError(place);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(context);
  decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
  let frame: Buffer;
  try {
    frame = Buffer.concat([decipher.update(bytes.subarray(frameOffset, bytes.length - tagBytes)), decipher.final()]);
  } catch {
    throw integrityError(place);
  }
  const secret = decodeFrame(frame);
  if (secret === undefined) throw integrityError(place);
  return secret;
}

function parseRecord(record: string): Buffer {
  const bytes = record.startsWith(prefix) ? parseBase64url(record.slice(prefix.length)) : undefined;
  const frameBytes = bytes === undefined ? 0 : bytes.length - frameOffset - tagBytes;
  if (
    bytes === undefined ||
    frameBytes < frameHeaderBytes ||
    frameBytes > maxFrameBytes ||
    paddedLength(frameBytes) !== frameBytes ||
    bytes[0] !== suite
  ) {
    throw new SealtreeError("E_RECORD_MALFORMED", "the record is malformed", {
      hints: ["take the line from an earlier commit: git log -p -- FILE"],
    });
  }
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.readBigUInt64BE(25) > BigInt(maxTimeSeconds)) {
    throw new SealtreeError("E_RECORD_MALFORMED", "the record has an impossible time");
  }
  return buffer;
}

function headerOf(bytes: Buffer): RecordHeader {
  return {
    generation: bytes.toString("hex", 1, 17),
    valueId: bytes.toString("hex", 17, 25),
    createdAt: Number(bytes.readBigUInt64BE(25)),
  };
}

function encodeHeader(header: RecordHeader): Buffer {
  const out = Buffer.alloc(headerBytes);
  out[0] = suite;
  out.write(header.generation, 1, 16, "hex");
  out.write(header.valueId, 17, 8, "hex");
  out.writeBigUInt64BE(BigInt(header.createdAt), 25);
  return out;
}

function encodeContext(place: RecordPlace, header: Uint8Array): Uint8Array {
  return encodeParts([protocol, place.purpose, place.scope, place.name, header]);
}

function deriveKeys(dek: Uint8Array, salt: Uint8Array, context: Uint8Array) {
  const info = Buffer.concat([Buffer.from(`${protocol}\0`), createHash("sha256").update(context).digest()]);
  const okm = Buffer.from(hkdfSync("sha256", dek, salt, info, 76));
  return { key: okm.subarray(0, 32), commitment: okm.subarray(32, 64), nonce: okm.subarray(64, 76) };
}

function integrityError(place: RecordPlace): SealtreeError {
  return new SealtreeError("E_RECORD_INTEGRITY", `the record of ${place.scope}/${place.name} does not open here`, {
    hints: ["it was changed, or sealed for another place; take the line from an earlier commit: git log -p"],
  });
}
