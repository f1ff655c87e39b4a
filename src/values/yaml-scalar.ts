import type { Secret } from "../secret/secret.ts";

const word = /^(?:y|yes|n|no|on|off|true|false|null)$/i;
const plain = /^[A-Za-z](?:[A-Za-z0-9_./@+=,?&%:-]*[A-Za-z0-9_/@+=&%-])?$/;
const hidden = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]|(?! )\p{Zs}/u;
const escaped = new RegExp(`${hidden.source}|["\\\\]`, "gu");
const shortEscapes: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  '"': '\\"',
  "\\": "\\\\",
};

/**
 * A name as a YAML key. Quoted when it is a word that YAML 1.1 or 1.2 reads as anything but a
 * string, such as `yes` or `null`.
 */
export function printYamlKey(name: string): string {
  return word.test(name) ? `"${name}"` : name;
}

/**
 * A value as YAML that every 1.1 and 1.2 parser reads as the same string: plain when nothing
 * could be read into it, a block literal for lines of printable text, and double-quoted for
 * the rest, with white space that an editor could lose or hide written as escapes. Bytes are
 * `!!binary` base64.
 */
export function printYamlValue(secret: Secret): string {
  const text = secret.kind === "binary" ? undefined : secret.revealText();
  if (text === undefined) return `!!binary "${Buffer.from(secret.reveal()).toString("base64")}"`;
  if (isPlainYaml(text)) return text;
  return fitsLiteral(text) ? printLiteral(text) : `"${escapeYaml(text)}"`;
}

/** True for text that every parser reads as the same string without quotes, wherever a scalar may stand. */
export function isPlainYaml(text: string): boolean {
  return plain.test(text) && !word.test(text);
}

/** `text` as it stands between double quotes, on one line. */
export function escapeYaml(text: string): string {
  return text.replace(escaped, escapeCharacter);
}

/** True when nothing but line feeds, tabs and characters that can be seen are in `text`. */
export function isPrintableYaml(text: string): boolean {
  return !hidden.test(text.replace(/[\t\n]/g, ""));
}

function fitsLiteral(text: string): boolean {
  if (!/[^\n]\n/.test(text) || /^\s|[^\S\n](?:\n|$)|\n\n$/.test(text)) return false;
  return isPrintableYaml(text);
}

function printLiteral(text: string): string {
  const chomping = text.endsWith("\n") ? "" : "-";
  const lines = text.replace(/\n$/, "").split("\n");
  return `|${chomping}\n${lines.map((line) => (line === "" ? "" : `  ${line}`)).join("\n")}`;
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const short = shortEscapes[character];
  if (short !== undefined) return short;
  if (code <= 0xff) return `\\x${hex(code, 2)}`;
  return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).toUpperCase().padStart(digits, "0");
}
