import { isDrop } from "../crypto/sealed-header.ts";
import { isSealtreeError, SealtreeError } from "../errors.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import { scopeFilePath } from "../store/layout.ts";
import type { ScopeEntries } from "../store/scope-file.ts";
import type { Session } from "./session.ts";

/** Names of a scope's drops, in the order of its file. Needs no key. */
export function listDrops(entries: ScopeEntries): SecretName[] {
  return [...entries].filter(([, { record }]) => isDrop(record)).map(([name]) => name);
}

/**
 * The values of a scope's drops that are sealed to one of the user's identities, in the order of
 * its file. Throws E_RECORD_MALFORMED and E_RECORD_INTEGRITY with the line of one that does not
 * open where it stands.
 */
export async function openOwnDrops(
  session: Session,
  scope: ScopePath,
  entries: ScopeEntries,
): Promise<ReadonlyMap<SecretName, Secret>> {
  const opened = new Map<SecretName, Secret>();
  const names = listDrops(entries);
  if (names.length === 0) return opened;
  const { openDrop } = await import("../crypto/drop.ts");
  for (const name of names) {
    const { record = "", line = 0 } = entries.get(name) ?? {};
    try {
      const secret = await openDrop(record, { scope, name }, await session.identities());
      if (secret !== undefined) opened.set(name, secret);
    } catch (error) {
      if (!isSealtreeError(error) || error.file !== undefined) throw error;
      const file = scopeFilePath(scope);
      const { code, message, hints } = error;
      throw new SealtreeError(code, `${file}:${line}: ${message}`, { file, line, hints, cause: error });
    }
  }
  return opened;
}

/**
 * True when the user may make the first generation of a scope. Who makes a key knows it, so a
 * scope that holds nothing but drops waits for somebody who reads one of them.
 */
export async function mayMakeFirst(session: Session, scope: ScopePath, entries: ScopeEntries): Promise<boolean> {
  return listDrops(entries).length === 0 || (await openOwnDrops(session, scope, entries)).size > 0;
}
