import { SealtreeError } from "../errors.ts";

const maxTextChars = 300;

/** The failure of the plugin `name`. */
export function pluginFailed(name: string, what: string, hints: readonly string[] = []): SealtreeError {
  return new SealtreeError("E_PLUGIN_FAILED", `age-plugin-${name}: ${what}`, { hints });
}

/**
 * What a plugin says to a person, on one line of at most 300 characters, without control
 * characters and without anything that looks like a private key.
 */
export function plainText(bytes: Uint8Array): string {
  const line = Buffer.from(bytes)
    .toString("utf8")
    .replaceAll(/[\p{C}\p{Z}]+/gu, " ")
    .replaceAll(/AGE-(?:SECRET-KEY|PLUGIN)-[A-Z0-9-]*/gi, "[redacted]")
    .trim();
  return line.length > maxTextChars ? `${line.slice(0, maxTextChars)}...` : line;
}
