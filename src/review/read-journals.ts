import { isSealtreeError, type SealtreeError } from "../errors.ts";
import { parseJournal, type Journal } from "../rotation/journal.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { parseSecretsPath } from "../store/layout.ts";

/** A rotation in flight or in grace, as its file says; or what is wrong with that file. */
export type ReadJournal =
  | { readonly name: SecretName; readonly path: string; readonly journal: Journal }
  | { readonly name: SecretName; readonly path: string; readonly error: SealtreeError };

/** The journals among `paths`, by scope. */
export async function readJournals(
  paths: readonly string[],
  read: (path: string) => Promise<Uint8Array | undefined>,
): Promise<ReadonlyMap<ScopePath, readonly ReadJournal[]>> {
  const journals = new Map<ScopePath, ReadJournal[]>();
  for (const path of paths) {
    const parsed = parseSecretsPath(path);
    if (parsed?.kind !== "journal") continue;
    const bytes = await read(path);
    // One that is not safe to read is a finding already.
    if (bytes === undefined) continue;
    const own = journals.get(parsed.scope) ?? [];
    journals.set(parsed.scope, own);
    const { scope, name } = parsed;
    try {
      own.push({ name, path, journal: parseJournal(bytes, { scope, name }) });
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      own.push({ name, path, error });
    }
  }
  return journals;
}
