import fc from "fast-check";
import { parseSecretName, type SecretName } from "../../src/secret/address.ts";
import { Secret } from "../../src/secret/secret.ts";

/** Texts that formats have got wrong before. */
export const hardTexts: readonly string[] = [
  ["", " ", "\n", "\n\n", "\t", "a\n", "a\n\n", "a\nb", "a\nb\n", " a\nb", "a \nb", "a\n\nb", "a\n\tb", "a\n b\n"],
  ["yes", "No", "on", "null", "~", "true", "y", "0755", "1_000", "1e3", "0x1f", "12:30:45", "2001-01-01", ".inf"],
  [
    "=",
    "<<",
    "a: b",
    "a:",
    "- a",
    "? a",
    "# a",
    "a # b",
    "a#b",
    "&a",
    "*a",
    "!a",
    "%a",
    "@a",
    "`a`",
    "|",
    ">",
    "{a",
    "[a",
  ],
  ["'", '"', "''", '""', "it's", 'say "x"', 'it\'s "x"', "it's $HOME", "it's `id`", "it's $(id)", "it's a\\nb", "'"],
  ["\\", "a\\", "a\\\\", "C:\\new\\", "a\\nb", "a b\\", "$HOME", "$(id)", "`id`", "!x", "a;b", "a&b", "~root", "*"],
  [
    "a\r\nb",
    "a\rb",
    "\r",
    "\u0085",
    "a\u00a0",
    "\u2028x\u2029",
    "\uFEFFx",
    "\u200d",
    "😀 👨‍👩‍👧",
    "é",
    "\u0000",
    "a\u0000b",
  ],
  [
    "\u0001\u001b[2J",
    "\u007f",
    "\uE000",
    "\uFFFF",
    "EOF",
    "--- a",
    "...",
    "---\n...\n# b\n%YAML",
    "https://u:p@h/?q=1&r=%20",
  ],
].flat();

const names = ["A", "B_2", "_c", "yes", "null", "Y", "__proto__", "constructor", "d.e", "f-g", "True", "n"];

export const textValue: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...hardTexts),
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.string({
    unit: fc.constantFrom("a", "b", " ", "\n", "'", '"', "\\", "$", "`", "#", "=", "\t", "\r", "n"),
    maxLength: 12,
  }),
);

export const secretValue: fc.Arbitrary<Secret> = fc.oneof(
  { weight: 4, arbitrary: textValue.map((text) => Secret.text(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }).map((bytes) => Secret.of(bytes, "binary")) },
);

/** Entries of distinct names with values drawn from `value`. */
export function entriesOf<T>(value: fc.Arbitrary<T>): fc.Arbitrary<Map<SecretName, T>> {
  return fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), value), { selector: ([name]) => name, maxLength: names.length })
    .map((pairs) => new Map(pairs.map(([name, item]) => [parseSecretName(name), item])));
}

/** Entries with one text each under `V0`, `V1` and so on. */
export function textEntries(...texts: string[]): Map<SecretName, Secret> {
  return new Map(texts.map((text, index) => [parseSecretName(`V${index}`), Secret.text(text)]));
}

/** Names, kinds and bytes, comparable with `toEqual`. */
export function plain(entries: ReadonlyMap<string, Secret>): [string, string, string][] {
  return [...entries].map(([name, secret]) => [name, secret.kind, Buffer.from(secret.reveal()).toString("hex")]);
}

/** What `action` throws. */
export function failureOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
