import { SealtreeError } from "../errors.ts";
import { isSecretName, type SecretName } from "../secret/address.ts";
import { Secret } from "../secret/secret.ts";

/** Longest text that a format parses, in UTF-16 units. A scope file has at most 4 MiB. */
const maxInputChars = 8 * 1024 * 1024;

const loneSurrogate = /\p{Surrogate}/u;

/** E_INPUT_INVALID at a one-based line. */
export function inputError(message: string, line: number, ...hints: string[]): SealtreeError {
  return new SealtreeError("E_INPUT_INVALID", message, { line, hints });
}

/** Throws E_INPUT_INVALID for what no format takes: a byte order mark, or more than 8 Mi characters. */
export function checkInputText(text: string): void {
  if (text.length > maxInputChars) throw inputError(`the text is longer than ${maxInputChars} characters`, 1);
  if (text.startsWith("\uFEFF")) {
    throw inputError("the text begins with a byte order mark", 1, "save it as UTF-8 without a byte order mark");
  }
}

/** `text` as a secret name. Throws E_NAME_INVALID with the line, and does not repeat `text`. */
export function parseNameAt(text: string, line: number): SecretName {
  if (isSecretName(text)) return text;
  throw new SealtreeError("E_NAME_INVALID", "the name is not a secret name", {
    line,
    hints: ["a name starts with a letter or _, and has letters, digits, _ . and -, at most 128"],
  });
}

/** A text value. Throws E_INPUT_INVALID for half of a surrogate pair, which UTF-8 cannot hold. */
export function parseValueAt(text: string, name: SecretName, line: number): Secret {
  if (loneSurrogate.test(text)) throw inputError(`the value of ${name} has half of a surrogate pair`, line);
  return Secret.text(text);
}

/**
 * The bytes of canonical padded base64 (RFC 4648 section 4), with any white space between.
 * Throws E_INPUT_INVALID.
 */
export function parseBinaryAt(text: string, name: SecretName, line: number): Secret {
  const compact = text.replace(/[ \t\r\n]/g, "");
  const bytes = Buffer.from(compact, "base64");
  if (bytes.toString("base64") !== compact) throw inputError(`the value of ${name} is not base64`, line);
  return Secret.of(bytes, "binary");
}

/** Throws E_INPUT_INVALID when `entries` has `name` already. */
export function addEntry(entries: Map<SecretName, Secret>, name: SecretName, secret: Secret, line: number): void {
  if (entries.has(name)) throw inputError(`the text has ${name} twice`, line);
  entries.set(name, secret);
}
