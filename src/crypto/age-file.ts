import { hkdfSync, randomBytes } from "node:crypto";
import { SealtreeError } from "../errors.ts";
import { looksArmored, parseArmor } from "./age-armor.ts";
import { type AgeHeader, macFits, parseHeader, printHeader, type Stanza } from "./age-header.ts";
import { openStream, sealStream } from "./age-stream.ts";

/** An age file split into its parts, nothing of it authenticated yet. */
export interface AgeFile {
  readonly header: AgeHeader;
  /** Nonce and STREAM. */
  readonly payload: Uint8Array;
}

/** A fresh file key has this many bytes. */
export const fileKeyBytes = 16;

const nonceBytes = 16;

/**
 * The parts of an armored or binary file of at most `maxBytes`, armor included. Text is
 * always armored. Throws E_AGE_MALFORMED.
 */
export function parseAgeFile(file: string | Uint8Array, maxBytes: number): AgeFile {
  if (file.length > maxBytes) {
    throw new SealtreeError("E_AGE_MALFORMED", `the age file has more than ${maxBytes} bytes`);
  }
  const bytes = typeof file === "string" ? parseArmor(file) : looksArmored(file) ? parseArmor(decodeAscii(file)) : file;
  const header = parseHeader(bytes);
  return { header, payload: bytes.subarray(header.bytes.length) };
}

/** The whole plaintext, after the MAC and every chunk passed. Throws E_AGE_MALFORMED. */
export function openAgeFile(file: AgeFile, fileKey: Uint8Array): Uint8Array {
  if (!macFits(file.header, fileKey)) throw tampered();
  const nonce = file.payload.subarray(0, nonceBytes);
  const plaintext = openStream(payloadKey(fileKey, nonce), file.payload.subarray(nonceBytes));
  if (plaintext === undefined) throw tampered();
  return plaintext;
}

/** A binary age file of `plaintext` under a file key that `stanzas` wrap. */
export function sealAgeFile(stanzas: readonly Stanza[], fileKey: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  return Buffer.concat([printHeader(stanzas, fileKey), nonce, sealStream(payloadKey(fileKey, nonce), plaintext)]);
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  return Buffer.from(hkdfSync("sha256", fileKey, nonce, "payload", 32));
}

function decodeAscii(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function tampered(): SealtreeError {
  return new SealtreeError("E_AGE_MALFORMED", "the age file was changed or cut short", {
    hints: ["take the file from an earlier commit: git log -p -- FILE"],
  });
}
