import { readSealedHeader } from "../crypto/sealed-header.ts";
import { isSealtreeError } from "../errors.ts";
import { isScopePath, type ScopePath, type SecretName } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import { parseGenerationFile, type GenerationFile } from "../store/generation-file.ts";
import { parseScopeFile, type ScopeEntry } from "../store/scope-file.ts";
import { parseScalar } from "../store/yaml-scalar.ts";
import { readConflictSides } from "./conflict-text.ts";

/** How much of a file is looked at to tell what it is, in characters. */
const headChars = 512;

/**
 * A scope file or a generation file as text for `git diff`: what anybody can read of it, a line a
 * fact, without a sealed text, a value or a control character. A file that cannot be read is one
 * line that says so, and holds nothing of it. Never throws.
 */
export function showFile(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, headChars)).toString("latin1").split("\n");
  const scope = findField(head[1], "$scope");
  const generation = findField(head[2], "generation");
  const path = scope !== undefined && isScopePath(scope) ? scope : undefined;
  if (path !== undefined && generation !== undefined && /^[0-9a-f]{32}$/.test(generation))
    return showOr(() => showGeneration(path, parseGenerationFile(bytes, path, generation)), "a generation file");
  if (path === undefined) return notOurs("a scope file", head[0] === "$sealtree: 1" ? 2 : 1);
  const sides = readConflictSides(Buffer.from(bytes).toString("utf8"));
  const shown = sides === undefined ? undefined : showConflict(path, sides);
  return shown ?? showOr(() => showScope(path, parseScopeFile(bytes, path)), "a scope file");
}

/** What stands for a file that cannot be read; `line` is where that shows. */
export function notOurs(what: string, line?: number): string {
  return `<not ${what}${line === undefined ? "" : `: line ${line}`}>\n`;
}

function showOr(show: () => string, what: string): string {
  try {
    return show();
  } catch (error) {
    if (isSealtreeError(error)) return notOurs(what, error.line);
    throw error;
  }
}

function showScope(scope: ScopePath, entries: ReadonlyMap<SecretName, ScopeEntry>): string {
  const records = [...entries].sort(([a], [b]) => compareText(a, b));
  const lines = records.flatMap(([name, entry]) => ["", ...showEntry(name, entry)]);
  return `${[`scope ${scope}`, ...lines].join("\n")}\n`;
}

function showEntry(name: SecretName, { record, comments }: ScopeEntry): string[] {
  return [...comments.map((comment) => `#${comment}`), `${name}: ${showRecord(record)}`];
}

/** A file that a merge left in conflict: what both sides have alike once, else both. Undefined when a side is no scope file. */
function showConflict(scope: ScopePath, sides: { readonly ours: string; readonly theirs: string }): string | undefined {
  try {
    const [ours, theirs] = [sides.ours, sides.theirs].map((text) => parseScopeFile(Buffer.from(text), scope));
    const names = [...new Set([...(ours?.keys() ?? []), ...(theirs?.keys() ?? [])])].sort(compareText);
    const lines = names.flatMap((name) => {
      const [one, other] = [ours, theirs].map((side) => {
        const entry = side?.get(name);
        return entry === undefined ? [] : showEntry(name, entry);
      });
      if (ours?.get(name)?.record === theirs?.get(name)?.record) return ["", ...(one ?? [])];
      return ["", "<<<<<<< ours", ...(one ?? []), "=======", ...(other ?? []), ">>>>>>> theirs"];
    });
    return `${[`scope ${scope}`, ...lines].join("\n")}\n`;
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}

function showRecord(record: string): string {
  try {
    const { kind, valueId, createdAt, generation } = readSealedHeader(record);
    const seal = kind === "drop" ? "drop, not adopted yet" : `generation ${generation.slice(0, 8)}`;
    return `value ${valueId.slice(0, 8)}, set ${dayOf(createdAt)}, ${seal}`;
  } catch (error) {
    if (isSealtreeError(error)) return "a record that is malformed";
    throw error;
  }
}

function showGeneration(scope: ScopePath, file: GenerationFile): string {
  const list = (title: string, readers: GenerationFile["mintedFor"]) => [
    `${title}:`,
    ...[...readers].sort(([a], [b]) => compareText(a, b)).map(([name, prints]) => `  ${name} ${prints.join(" ")}`),
  ];
  return `${[
    `generation ${file.id} of scope ${scope}`,
    `after ${file.previous ?? "none"}, made ${dayOf(file.createdAt)}`,
    ...list("could read when it was made", file.mintedFor),
    ...list("can open it", file.wrappedFor),
  ].join("\n")}\n`;
}

function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** The text of a line `key: text`, as our files write it. */
function findField(line: string | undefined, key: string): string | undefined {
  return line?.startsWith(`${key}: `) === true ? parseScalar(line.slice(key.length + 2)) : undefined;
}
