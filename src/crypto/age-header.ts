import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { SealtreeError } from "../errors.ts";
import { parseBase64, printBase64 } from "./age-base64.ts";

/** One way to a file key. */
export interface Stanza {
  /** Type first, then its arguments; 1 or more, printable ASCII without space. */
  readonly args: readonly string[];
  readonly body: Uint8Array;
}

/** A parsed header (C2SP age.md, "Header"). */
export interface AgeHeader {
  readonly stanzas: readonly Stanza[];
  /** The whole header as it was read, with its MAC and last newline. */
  readonly bytes: Uint8Array;
  readonly mac: Uint8Array;
}

/** Most stanzas of one file. */
export const maxStanzas = 256;

const versionLine = "age-encryption.org/v1";
const macPrefix = "--- ";
/** A line of a stanza's body that is this long is followed by another one. */
export const bodyLineChars = 64;
const wrappedKeyBytes = 32;
const shareBytes = new Map([
  ["X25519", 32],
  ["mlkem768x25519", 1120],
]);

/**
 * The header at the start of `file`. Throws E_AGE_MALFORMED for anything but the exact
 * grammar, for a stanza of a type we know with the wrong shape, for a scrypt stanza with
 * company, and for more than {@link maxStanzas} stanzas.
 */
export function parseHeader(file: Uint8Array): AgeHeader {
  const lines = lineReader(file);
  if (lines.next() !== versionLine) throw malformed();
  const stanzas: Stanza[] = [];
  let line = lines.next();
  while (line.startsWith("-> ")) {
    if (stanzas.length === maxStanzas) {
      throw new SealtreeError("E_AGE_MALFORMED", `the age file has more than ${maxStanzas} stanzas`);
    }
    stanzas.push(parseStanza(line, lines.next));
    line = lines.next();
  }
  const mac = line.startsWith(macPrefix) ? parseBase64(line.slice(macPrefix.length), "bare") : undefined;
  const scryptHasCompany = stanzas.length > 1 && stanzas.some((stanza) => stanza.args[0] === "scrypt");
  if (mac?.length !== 32 || stanzas.length === 0 || scryptHasCompany) throw malformed();
  return { stanzas, mac, bytes: file.subarray(0, lines.offset()) };
}

/** The header that holds `stanzas`, with its MAC under `fileKey`. */
export function printHeader(stanzas: readonly Stanza[], fileKey: Uint8Array): Uint8Array {
  const unsigned = Buffer.from([versionLine, ...stanzas.flatMap(stanzaLines), "---"].join("\n"), "latin1");
  return Buffer.concat([unsigned, Buffer.from(` ${printBase64(headerMac(unsigned, fileKey), "bare")}\n`)]);
}

/** True when `fileKey` made this header's MAC; constant time. */
export function macFits(header: AgeHeader, fileKey: Uint8Array): boolean {
  const macLine = macPrefix.length + 43 + 1;
  const unsigned = header.bytes.subarray(0, header.bytes.length - macLine + "---".length);
  return timingSafeEqual(headerMac(unsigned, fileKey), header.mac);
}

function headerMac(unsigned: Uint8Array, fileKey: Uint8Array): Uint8Array {
  const key = Buffer.from(hkdfSync("sha256", fileKey, "", "header", 32));
  return createHmac("sha256", key).update(unsigned).digest();
}

function lineReader(file: Uint8Array) {
  const buffer = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  let offset = 0;
  const next = (): string => {
    const end = buffer.indexOf(0x0a, offset);
    if (end < 0) throw malformed();
    const line = buffer.toString("latin1", offset, end);
    offset = end + 1;
    return line;
  };
  return { next, offset: () => offset };
}

function parseStanza(line: string, next: () => string): Stanza {
  const stanza = parseStanzaLines(line, next);
  if (!hasKnownShape(stanza)) throw malformed();
  return stanza;
}

/**
 * The stanza that begins with `line`, of any type and shape; `next` gives the lines after it. Ends
 * with the first line that is not full. Throws E_AGE_MALFORMED. Age plugins talk in stanzas too.
 */
export function parseStanzaLines(line: string, next: () => string): Stanza {
  if (!line.startsWith("-> ")) throw malformed();
  const args = line.slice(3).split(" ");
  if (!args.every((arg) => /^[\x21-\x7e]+$/.test(arg))) throw malformed();
  const chunks: Uint8Array[] = [];
  let text: string;
  do {
    text = next();
    const chunk = text.length <= bodyLineChars ? parseBase64(text, "bare") : undefined;
    if (chunk === undefined) throw malformed();
    chunks.push(chunk);
  } while (text.length === bodyLineChars);
  return { args, body: Buffer.concat(chunks) };
}

/** False for a stanza of a type we know that no file may hold. */
export function hasKnownShape({ args, body }: Stanza): boolean {
  const length = shareBytes.get(args[0] ?? "");
  if (length === undefined) return true;
  const share = args.length === 2 ? parseBase64(args[1] ?? "", "bare") : undefined;
  return share?.length === length && body.length === wrappedKeyBytes;
}

/** The lines of a stanza, without their newlines. */
export function stanzaLines({ args, body }: Stanza): string[] {
  const text = printBase64(body, "bare");
  const lines = text.match(/.{1,64}/g) ?? [];
  return [`-> ${args.join(" ")}`, ...lines, ...(text.length % bodyLineChars === 0 ? [""] : [])];
}

function malformed(): SealtreeError {
  return new SealtreeError("E_AGE_MALFORMED", "the header of the age file is malformed");
}
