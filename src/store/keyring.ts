import type { ReaderList } from "../crypto/generation.ts";
import { compareText } from "../secret/text-order.ts";
import type { ScopePath } from "../secret/address.ts";
import { parseGenerationFile, type GenerationFile } from "./generation-file.ts";
import { generationPath, keyringDirectory, parseSecretsPath, scopeFilePath, secretsDirectory } from "./layout.ts";
import { parseScopeFile, type ScopeEntries } from "./scope-file.ts";
import type { Tree } from "./tree.ts";

/** All generations of a scope, by id. */
export type Keyring = ReadonlyMap<string, GenerationFile>;

/** Scopes that have a file in `tree`, sorted. */
export async function listScopes(tree: Tree): Promise<ScopePath[]> {
  const scopes = (await tree.list(secretsDirectory)).map((path) => parseSecretsPath(path));
  return scopes.flatMap((parsed) => (parsed?.kind === "scope" ? [parsed.scope] : [])).sort(compareText);
}

/** The records of a scope; undefined when it has no file. Throws as parseScopeFile does. */
export async function readScope(tree: Tree, scope: ScopePath): Promise<ScopeEntries | undefined> {
  const bytes = await tree.read(scopeFilePath(scope));
  return bytes === undefined ? undefined : parseScopeFile(bytes, scope);
}

/** Ids of the generations a scope has files for, sorted. */
export async function listGenerations(tree: Tree, scope: ScopePath): Promise<string[]> {
  const parsed = (await tree.list(keyringDirectory(scope))).map((path) => parseSecretsPath(path));
  return parsed.flatMap((item) => (item?.kind === "generation" && item.scope === scope ? [item.generation] : []));
}

/** One generation; undefined when the scope has no such file. Throws E_KEYRING_MALFORMED. */
export async function readGeneration(tree: Tree, scope: ScopePath, id: string): Promise<GenerationFile | undefined> {
  const bytes = await tree.read(generationPath(scope, id));
  return bytes === undefined ? undefined : parseGenerationFile(bytes, scope, id);
}

/** The whole keyring of a scope; empty when it has none. Throws E_KEYRING_MALFORMED. */
export async function readKeyring(tree: Tree, scope: ScopePath): Promise<Keyring> {
  const keyring = new Map<string, GenerationFile>();
  for (const id of await listGenerations(tree, scope)) {
    const file = await readGeneration(tree, scope, id);
    if (file !== undefined) keyring.set(id, file);
  }
  return keyring;
}

/**
 * The generation that new values are sealed under: nobody's `previous`, and known only to
 * present readers; of several, the smallest id. Undefined when there is none, so that one
 * must be minted. `readers` holds the fingerprints of all present readers.
 */
export function findCurrentGeneration(keyring: Keyring, readers: ReadonlySet<string>): GenerationFile | undefined {
  const replaced = listReplaced(keyring);
  return [...keyring.values()]
    .filter((file) => !replaced.has(file.id) && isKnownOnlyTo(file, readers))
    .sort((a, b) => compareText(a.id, b.id))[0];
}

/**
 * Ids of the generations whose records are stale: known to somebody who may not read now, or
 * replaced by another. A replaced one may have been known to a reader who came after it was
 * made and whose stanza is gone, so its two lists alone do not clear it.
 */
export function findStaleGenerations(keyring: Keyring, readers: ReadonlySet<string>): ReadonlySet<string> {
  const replaced = listReplaced(keyring);
  const stale = [...keyring.values()].filter((file) => replaced.has(file.id) || !isKnownOnlyTo(file, readers));
  return new Set(stale.map(({ id }) => id));
}

function listReplaced(keyring: Keyring): ReadonlySet<string | undefined> {
  return new Set([...keyring.values()].map(({ previous }) => previous));
}

/** True when all who could read a generation when it was made, or can open its file now, are `readers`. */
function isKnownOnlyTo(file: GenerationFile, readers: ReadonlySet<string>): boolean {
  return [file.mintedFor, file.wrappedFor].every((list) =>
    listFingerprints(list).every((fingerprint) => readers.has(fingerprint)),
  );
}

/** The fingerprints of a reader list. */
function listFingerprints(readers: ReaderList): string[] {
  return [...readers.values()].flat();
}
