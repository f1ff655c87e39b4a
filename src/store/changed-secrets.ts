import { isSealtreeError } from "../errors.ts";
import { readSealedHeader } from "../crypto/sealed-header.ts";
import type { Address, ScopePath, SecretName } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import { parseScopeFile, type ScopeEntries } from "./scope-file.ts";

/**
 * Secrets of a scope whose value differs between two versions of its file, by value id:
 * set, removed, or replaced. A value that was only sealed again is not among them. A file
 * that cannot be read counts as empty, so that everything in the other is listed.
 */
export function listChangedSecrets(
  scope: ScopePath,
  before: Uint8Array | undefined,
  after: Uint8Array | undefined,
): Address[] {
  const old = readValueIds(scope, before);
  const now = readValueIds(scope, after);
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((name) => old.get(name) !== now.get(name))
    .sort(compareText)
    .map((name) => ({ scope, name }));
}

/** Two records, or a record and the drop it was made of, that hold the same value, as far as can be said without a key. */
export function sameValue(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && valueIdOf(a) === valueIdOf(b);
}

function readValueIds(scope: ScopePath, bytes: Uint8Array | undefined): ReadonlyMap<SecretName, string> {
  const entries = bytes === undefined ? undefined : readEntries(scope, bytes);
  return new Map([...(entries ?? [])].map(([name, { record }]) => [name, valueIdOf(record)]));
}

function readEntries(scope: ScopePath, bytes: Uint8Array): ScopeEntries | undefined {
  try {
    return parseScopeFile(bytes, scope);
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}

/** The value id, or the record itself where it is too broken to have one. */
function valueIdOf(record: string): string {
  try {
    return readSealedHeader(record).valueId;
  } catch (error) {
    if (isSealtreeError(error)) return record;
    throw error;
  }
}
