import { SealtreeError } from "../errors.ts";
import { parseBase64, printBase64 } from "./age-base64.ts";

const begin = "-----BEGIN AGE ENCRYPTED FILE-----";
const end = "-----END AGE ENCRYPTED FILE-----";
const lineChars = 64;

/** True when `bytes` start like an armored file, after white space. */
export function looksArmored(bytes: Uint8Array): boolean {
  const start = bytes.findIndex((byte) => !isSpace(byte));
  return start >= 0 && Buffer.from(bytes.subarray(start, start + begin.length)).toString("latin1") === begin;
}

/** `file` in age's ASCII armor (C2SP age.md, "ASCII armor"), with a final newline. */
export function printArmor(file: Uint8Array): string {
  const lines = printBase64(file, "padded").match(/.{1,64}/g) ?? [];
  return [begin, ...lines, end, ""].join("\n");
}

/**
 * The binary file in `text`. White space is allowed around the armor and CRLF within it;
 * every other freedom of PEM throws E_AGE_MALFORMED.
 */
export function parseArmor(text: string): Uint8Array {
  const lines = trimSpace(text).split(/\r?\n/);
  const body = lines.slice(1, -1);
  const last = body.length - 1;
  const wellFormed =
    lines.length >= 3 &&
    lines[0] === begin &&
    lines.at(-1) === end &&
    body.every((line, index) => (index < last ? line.length === lineChars : isLastLine(line)));
  const file = wellFormed ? parseBase64(body.join(""), "padded") : undefined;
  if (file === undefined) throw new SealtreeError("E_AGE_MALFORMED", "the armor of the age file is malformed");
  return file;
}

function isLastLine(line: string): boolean {
  return line.length > 0 && line.length <= lineChars;
}

// A loop: a pattern for the end of the text takes quadratic time on a file of blanks.
function trimSpace(text: string): string {
  let start = 0;
  let stop = text.length;
  while (start < stop && isSpace(text.charCodeAt(start))) start++;
  while (stop > start && isSpace(text.charCodeAt(stop - 1))) stop--;
  return text.slice(start, stop);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}
