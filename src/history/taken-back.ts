import { isDrop, readSealedHeader } from "../crypto/sealed-header.ts";
import { isSealtreeError } from "../errors.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { sameValue } from "../store/changed-secrets.ts";
import { readGeneration } from "../store/keyring.ts";
import type { ScopeEntries } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";

/** A generation whose file git is about to remove although a record of the merge needs it. */
export interface TakenBack {
  readonly generation: string;
  /** A secret that is sealed under it. */
  readonly name: SecretName;
}

/**
 * The generations that `theirs` takes back and `merged` still needs, as when `git revert` meets a
 * rekey with values set since: the base has records under it, theirs has none, and all of theirs
 * are under its predecessors, or one of them is a drop again that the base had adopted. `tree` holds our keyring; without it nothing can be told, and the
 * list is empty.
 */
export async function findTakenBack(
  tree: Tree,
  scope: ScopePath,
  sides: { readonly base: ScopeEntries; readonly theirs: ScopeEntries; readonly merged: ScopeEntries },
): Promise<TakenBack[]> {
  const [base, theirs, merged] = [generationsOf(sides.base), generationsOf(sides.theirs), generationsOf(sides.merged)];
  const found: TakenBack[] = [];
  for (const [generation, name] of merged) {
    if (theirs.has(generation) || !base.has(generation)) continue;
    if (theirs.size === 0 && !isUnadopted(sides.base, sides.theirs)) continue;
    const older = await listPredecessors(tree, scope, generation);
    if ([...theirs.keys()].every((id) => older.has(id))) found.push({ generation, name });
  }
  return found;
}

async function listPredecessors(tree: Tree, scope: ScopePath, generation: string): Promise<ReadonlySet<string>> {
  const older = new Set<string>();
  for (let id = await findPrevious(tree, scope, generation); id !== undefined && !older.has(id);) {
    older.add(id);
    id = await findPrevious(tree, scope, id);
  }
  return older;
}

async function findPrevious(tree: Tree, scope: ScopePath, generation: string): Promise<string | undefined> {
  try {
    return (await readGeneration(tree, scope, generation))?.previous;
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}

/** True when a record of `base` is the drop in `theirs` that it was made of. */
function isUnadopted(base: ScopeEntries, theirs: ScopeEntries): boolean {
  return [...theirs].some(([name, { record }]) => {
    const adopted = base.get(name)?.record;
    return adopted !== undefined && isDrop(record) && !isDrop(adopted) && sameValue(adopted, record);
  });
}

/** Generations of the records, each with one secret that is sealed under it; a drop has none. */
function generationsOf(entries: ScopeEntries): Map<string, SecretName> {
  const found = new Map<string, SecretName>();
  for (const [name, { record }] of entries) {
    try {
      const { generation } = readSealedHeader(record);
      if (generation !== undefined) found.set(generation, name);
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
    }
  }
  return found;
}
