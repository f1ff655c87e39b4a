import { hasGit, type GitPlace } from "../git/place.ts";
import { findHead } from "../git/revision.ts";
import type { ScopePath } from "../secret/address.ts";
import { openCommitTree } from "../store/commit-tree.ts";
import type { Keyring } from "../store/keyring.ts";
import { generationPath, secretsDirectory } from "../store/layout.ts";
import { listReaders } from "./permission.ts";
import { findPolicy, type Policy } from "./policy.ts";

/** Who could read until now, and by which keys. */
export interface FormerAccess {
  /** Undefined for a policy that cannot be understood. */
  readonly policy: Policy | undefined;
  /** Paths below `secrets/`. */
  readonly files: ReadonlySet<string>;
}

/** Access as HEAD has it; undefined before the first commit and without git. */
export async function readFormerAccess(place: GitPlace): Promise<FormerAccess | undefined> {
  const head = hasGit(place) ? await findHead(place) : undefined;
  if (head === undefined) return undefined;
  const tree = await openCommitTree(place, head);
  try {
    return { policy: (await findPolicy(tree)).policy, files: new Set(await tree.list(secretsDirectory)) };
  } finally {
    tree.close();
  }
}

/**
 * Ids of the generations that somebody may know who could read the scope until now and may not
 * by `policy`. Where two branches wrapped one generation for different readers, the merge keeps
 * one of the lists, so the lists alone do not tell.
 */
export function findLostGenerations(
  former: FormerAccess | undefined,
  policy: Policy,
  scope: ScopePath,
  keyring: Keyring,
): ReadonlySet<string> {
  if (former?.policy === undefined) return new Set();
  const readers = new Set(listReaders(policy, scope).map(({ fingerprint }) => fingerprint));
  const isLost = listReaders(former.policy, scope).some(({ fingerprint }) => !readers.has(fingerprint));
  return new Set(isLost ? [...keyring.keys()].filter((id) => former.files.has(generationPath(scope, id))) : []);
}
