import { isDrop } from "../crypto/sealed-header.ts";
import { isSealtreeError } from "../errors.ts";
import { listUncommitted } from "../git/changes.ts";
import { hasGit, type GitPlace } from "../git/place.ts";
import { findHead } from "../git/revision.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { sameValue } from "../store/changed-secrets.ts";
import { openCommitTree } from "../store/commit-tree.ts";
import { readScope } from "../store/keyring.ts";
import { keyringDirectory, parseSecretsPath, secretsDirectory } from "../store/layout.ts";
import type { ScopeEntries } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";

/** An adoption that is in the work tree and in no commit, as a command that was cut off leaves it. */
export interface UncommittedAdoption {
  readonly scope: ScopePath;
  readonly adopted: readonly SecretName[];
  /** The scope file, and what of its keyring is not committed. */
  readonly touched: readonly string[];
}

/** Scopes, or the one that is `only`, with a drop in HEAD that is a record of the same value in `tree`. */
export async function findUncommittedAdoptions(
  place: GitPlace,
  tree: Tree,
  only: ScopePath | undefined,
): Promise<UncommittedAdoption[]> {
  const head = hasGit(place) ? await findHead(place) : undefined;
  if (head === undefined) return [];
  const paths = (await listUncommitted(place, [secretsDirectory])).filter(({ isThere }) => isThere);
  const changed = paths.map(({ path }) => ({ path, parsed: parseSecretsPath(path) }));
  const found: UncommittedAdoption[] = [];
  const committed = await openCommitTree(place, head);
  try {
    for (const { path, parsed } of changed) {
      if (parsed?.kind !== "scope" || (only !== undefined && parsed.scope !== only)) continue;
      const { scope } = parsed;
      const adopted = listAdopted(await readOrNone(committed, scope), await readOrNone(tree, scope));
      if (adopted.length === 0) continue;
      const keyring = changed.filter((other) => other.path.startsWith(`${keyringDirectory(scope)}/`));
      found.push({ scope, adopted, touched: [...keyring.map((other) => other.path), path] });
    }
  } finally {
    committed.close();
  }
  return found;
}

function listAdopted(before: ScopeEntries | undefined, after: ScopeEntries | undefined): SecretName[] {
  return [...(before ?? [])]
    .filter(([name, { record }]) => {
      const now = after?.get(name)?.record;
      return now !== undefined && isDrop(record) && !isDrop(now) && sameValue(record, now);
    })
    .map(([name]) => name);
}

async function readOrNone(tree: Tree, scope: ScopePath): Promise<ScopeEntries | undefined> {
  try {
    return await readScope(tree, scope);
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}
