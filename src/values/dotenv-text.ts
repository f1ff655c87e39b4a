import { parse as parseWithLibrary } from "dotenv";
import { parseEnv } from "node:util";
import type { SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import type { Entries } from "./entries.ts";
import { environmentTexts, unfitError } from "./environment-text.ts";
import { addEntry, checkInputText, inputError, parseNameAt, parseValueAt } from "./input-text.ts";

const ignored = /[^\S\n]*(?:#[^\n]*)?(?:\n|$)/y;
const assignment =
  /[^\S\n]*(?:export[^\S\n]+)?([\w.-]+)(?:[^\S\n]*=|:[^\S\n])[^\S\n]*('(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`|[^#\n]*)[^\S\n]*(?:#[^\n]*)?(?:\n|$)/dy;
const unclosed = /^(?=["'`])(?!(["'`])[^]*\1$)|^["'`]$/;

const bare = /^[A-Za-z0-9_./:@%+,=-]+$/;
const bareBackslash = /^[A-Za-z0-9_./:@%+,=\\-]+\\$/;
const sameInShellQuotes = /^(?:[^"$`\\]|\\(?![\\\n]|$))*$/;
const runsInShellQuotes = /["`]|\$[({]|\$\S*\[/;
const shellNote = "# a POSIX shell reads the next value differently\n";

/**
 * The entries of a .env file, with the values that the library `dotenv` reads from it. More
 * strict than the library where that would lose something without a word: a name twice, a line
 * that is no assignment, a quote that is not closed. Throws E_INPUT_INVALID and E_NAME_INVALID
 * with the line.
 */
export function parseDotenv(text: string): Map<SecretName, Secret> {
  checkInputText(text);
  const lines = text.replace(/\r\n?/g, "\n");
  const entries = new Map<SecretName, Secret>();
  for (const { name, value, line } of listAssignments(lines)) addEntry(entries, name, value, line);
  for (const [name, value] of Object.entries(parseWithLibrary(lines))) {
    if (entries.get(name as SecretName)?.revealText() !== value) {
      const last = lines.split("\n").length;
      throw inputError("the library dotenv reads something else from the text", last, "put the values in quotes");
    }
  }
  return entries;
}

/**
 * `NAME=value` lines that Node's `--env-file`, the library `dotenv` and a POSIX shell
 * (`set -a; . FILE`) read back alike. A value with a single quote and a dollar sign or a
 * backslash has no such form: it is written for Node and `dotenv`, below a comment that says
 * so. Throws E_VALUE_UNFIT where those two differ, and where a shell that reads the file would
 * run part of the value as a command.
 */
export function printDotenv(entries: Entries): string {
  return environmentTexts(entries, "dotenv")
    .map(({ name, variable, text }) => {
      const quoting = quoteDotenv(variable, text);
      if (quoting === undefined) throw unfitError(name, "dotenv", "no quoting holds it for every reader");
      const note = quoting.isSameInShell ? "" : shellNote;
      // The empty line ends what a shell takes for a continued one.
      return `${note}${variable}=${quoting.written}\n${text.endsWith("\\") ? "\n" : ""}`;
    })
    .join("");
}

/** One assignment of a .env file. */
export interface DotenvAssignment {
  readonly name: SecretName;
  readonly value: Secret;
  /** One-based. */
  readonly line: number;
  /** Where the value is written, its quotes included; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
}

/** The assignments of `text`, which has no carriage returns. Throws E_INPUT_INVALID and E_NAME_INVALID with the line. */
export function* listAssignments(text: string): Generator<DotenvAssignment> {
  let line = 1;
  for (let offset = 0; offset < text.length;) {
    const blank = matchAt(ignored, text, offset);
    const match = blank ?? matchAt(assignment, text, offset);
    if (match === null) throw inputError("the line is neither an assignment nor a comment", line);
    if (blank === null) yield readAssignment(match, line);
    offset += match[0].length;
    line += match[0].split("\n").length - 1;
  }
}

function readAssignment(match: RegExpExecArray, line: number): DotenvAssignment {
  const name = parseNameAt(match[1] ?? "", line);
  const written = (match[2] ?? "").trim();
  if (unclosed.test(written)) throw inputError(`the value of ${name} has a quote that is not closed`, line);
  const value = parseWithLibrary(`V=${written}`)["V"] ?? "";
  const start = match.indices?.[2]?.[0] ?? match.index;
  return { name, value: parseValueAt(value, name, line), line, start, end: start + written.length };
}

function matchAt(pattern: RegExp, text: string, offset: number): RegExpExecArray | null {
  pattern.lastIndex = offset;
  return pattern.exec(text);
}

/**
 * A value as it stands in a .env file after `variable=`, so that Node and the library `dotenv` read
 * it back; undefined when they differ, or a shell that reads the file would run part of it.
 */
export function quoteDotenv(
  variable: string,
  text: string,
): { readonly written: string; readonly isSameInShell: boolean } | undefined {
  if (bare.test(text)) return { written: text, isSameInShell: true };
  if (bareBackslash.test(text)) return { written: text, isSameInShell: false };
  if (text.endsWith("\\") || text.includes("\r")) return undefined;
  if (!text.includes("'")) return { written: `'${text}'`, isSameInShell: true };
  if (runsInShellQuotes.test(text)) return undefined;
  const written = `"${text}"`;
  if (!readsBack(`${variable}=${written}\n`, variable, text)) return undefined;
  return { written, isSameInShell: sameInShellQuotes.test(text) };
}

function readsBack(line: string, variable: string, text: string): boolean {
  return parseWithLibrary(line)[variable] === text && parseEnv(line)[variable] === text;
}
