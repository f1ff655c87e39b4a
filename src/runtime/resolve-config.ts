import { hasCode, isSealtreeError, SealtreeError } from "../errors.ts";
import { missingError, type MissingReference } from "../resolve/missing-reference.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { mayHaveReferences, splitReferences, type ReferencePiece } from "../secret/reference.ts";
import type { RuntimeSecret } from "./runtime-secret.ts";

/** A reference in a configuration, and where it stands first: `database.url`. */
interface ConfigReference {
  readonly address: Address;
  readonly place: string;
}

type Replace = (text: string, path: readonly string[]) => string;

/** Lists and objects in one another, at most. */
const maxDepth = 200;

/**
 * A copy of `config` in which every `${secret:scope/NAME}` in a string is the text of that secret, and
 * `$${` is `${`. Arrays and plain objects are walked; everything else, such as a number, a Date or an
 * object of a class, is the same in the copy. Keys stay as they are. All secrets are asked for before the
 * first is awaited.
 *
 * Throws E_REFERENCE_MISSING, or E_NO_ACCESS, with a line for each one that is missing, E_REFERENCE_INVALID
 * for what begins as a reference and is none, and what a source failed with.
 */
export async function resolveConfig<T>(config: T, get: (address: string) => Promise<RuntimeSecret>): Promise<T> {
  const references = new Map<string, ConfigReference>();
  walk(config, (text, path) => {
    for (const piece of splitReferences(text)) {
      if (piece.kind === "malformed") throw malformed(placeOf(path));
      if (piece.kind !== "reference") continue;
      const address = printAddress(piece.address);
      if (!references.has(address)) references.set(address, { address: piece.address, place: placeOf(path) });
    }
    return text;
  });
  const texts = await readTexts(references, get);
  const fill = (piece: ReferencePiece) =>
    piece.kind === "text"
      ? piece.text
      : piece.kind === "reference"
        ? (texts.get(printAddress(piece.address)) ?? "")
        : "";
  return walk(config, (text) => splitReferences(text).map(fill).join("")) as T;
}

async function readTexts(
  references: ReadonlyMap<string, ConfigReference>,
  get: (address: string) => Promise<RuntimeSecret>,
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const missing: MissingReference[] = [];
  const others: unknown[] = [];
  const all = [...references];
  const reads = await Promise.allSettled(all.map(([address]) => get(address)));
  for (const [index, read] of reads.entries()) {
    const [address, reference] = all[index] ?? [];
    if (address === undefined || reference === undefined) continue;
    if (read.status === "fulfilled") texts.set(address, read.value.revealText());
    else if (hasCode(read.reason, "E_SECRET_NOT_FOUND", "E_NO_ACCESS"))
      missing.push({ ...reference, error: read.reason });
    else others.push(read.reason);
  }
  if (missing.length > 0) throw missingError(missing);
  if (others.length > 0) throw othersError(others);
  return texts;
}

/** The config with its strings replaced; `above` are the objects that hold `value`. */
function walk(value: unknown, replace: Replace, path: readonly string[] = [], above: readonly unknown[] = []): unknown {
  if (typeof value === "string") return mayHaveReferences(value) ? replace(value, path) : value;
  const isList = Array.isArray(value);
  if (!isList && !isPlainObject(value)) return value;
  if (above.includes(value) || above.length > maxDepth) throw tooDeep(placeOf(path.slice(0, 4)));
  const walkItem = (item: unknown, key: string) => walk(item, replace, [...path, key], [...above, value]);
  if (isList) return value.map((item: unknown, index) => walkItem(item, String(index)));
  // Entries make own properties of all keys, `__proto__` among them.
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walkItem(item, key)]));
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Keys as they are written; one that is long or unusual is left out, as it may be a value. */
function placeOf(path: readonly string[]): string {
  return path.length === 0 ? "the text" : path.map((key) => (/^[\w-]{1,64}$/.test(key) ? key : "...")).join(".");
}

/** The first of several failures, with the number of the others. */
function othersError([first, ...more]: readonly unknown[]): unknown {
  if (!isSealtreeError(first) || more.length === 0) return first;
  const { code, message, hints, file, line } = first;
  return new SealtreeError(code, message, {
    hints: [...hints, `${more.length} more of the references failed`],
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  });
}

function malformed(place: string): SealtreeError {
  return new SealtreeError("E_REFERENCE_INVALID", `${place} begins a reference and is none`, {
    hints: ["a reference is ${secret:scope/NAME}", "if it is meant as text: $${secret:"],
  });
}

function tooDeep(place: string): SealtreeError {
  return new SealtreeError("E_INPUT_INVALID", `${place} is nested more than ${maxDepth} deep, or holds itself`, {
    hints: ["resolve the part that has references"],
  });
}
