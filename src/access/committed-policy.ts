import { listUncommitted, type UncommittedFile } from "../git/changes.ts";
import { hasGit, type GitPlace } from "../git/place.ts";
import { findHead } from "../git/revision.ts";
import { openCommitTree } from "../store/commit-tree.ts";
import { isMemberName } from "../store/generation-file.ts";
import { accessPolicyPath, membersDirectory } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import type { FileChange } from "../store/write.ts";
import { findPolicy, type Policy } from "./policy.ts";

/** The policy as HEAD has it, and its files that git does not have as they stand. */
export interface CommittedPolicy {
  /** Undefined before the first commit, without git, and for a policy that cannot be understood. */
  readonly policy: Policy | undefined;
  /** Key files and the policy that differ from HEAD. */
  readonly changed: readonly UncommittedFile[];
  /** Those that are as in HEAD and differ in git's index: a run was cut off right after its commit. */
  readonly unstaged: readonly UncommittedFile[];
}

/** Looks at HEAD, so that a change that was cut off before its commit can be told from one that was not begun. */
export async function readCommittedPolicy(place: GitPlace, tree: Tree): Promise<CommittedPolicy> {
  const head = hasGit(place) ? await findHead(place) : undefined;
  if (head === undefined) return { policy: undefined, changed: [], unstaged: [] };
  const uncommitted = await listUncommittedPolicy(place);
  const committed = await openCommitTree(place, head);
  try {
    const changed: UncommittedFile[] = [];
    const unstaged: UncommittedFile[] = [];
    for (const file of uncommitted) {
      const [before, now] = [await committed.read(file.path), await tree.read(file.path)];
      const isSame = before === undefined || now === undefined ? before === now : Buffer.compare(before, now) === 0;
      (isSame ? unstaged : changed).push(file);
    }
    return { policy: (await findPolicy(committed)).policy, changed, unstaged };
  } finally {
    committed.close();
  }
}

/**
 * The files of the policy that go into a commit beside `written`, what a change writes: with a
 * change, all that HEAD lacks, since the policy is one; without, those that only git's index lacks.
 */
export function besideChange(
  { changed, unstaged }: CommittedPolicy,
  { isChanged, written }: { readonly isChanged: boolean; readonly written: readonly FileChange[] },
): { readonly touched: readonly string[]; readonly removed: readonly FileChange[] } {
  const own = new Set(written.map(({ path }) => path));
  return toCommitted((isChanged ? [...changed, ...unstaged] : unstaged).filter(({ path }) => !own.has(path)));
}

/** Files of the work tree as parts of a commit: those that are there as they stand, and removals. */
export function toCommitted(files: readonly UncommittedFile[]): {
  readonly touched: readonly string[];
  readonly removed: readonly FileChange[];
} {
  return {
    touched: files.filter(({ isThere }) => isThere).map(({ path }) => path),
    removed: files.filter(({ isThere }) => !isThere).map(({ path }) => ({ path, bytes: undefined })),
  };
}

/** The access policy and key files that are not committed as they stand. */
export async function listUncommittedPolicy(place: GitPlace): Promise<UncommittedFile[]> {
  const files = await listUncommitted(place, [accessPolicyPath, membersDirectory]);
  return files.filter(({ path }) => isPolicyFile(path));
}

/** The version that a changed policy has: one more than HEAD's, whether or not the work tree's was raised already. */
export function nextVersion(policy: Policy, committed: CommittedPolicy): number {
  const before = committed.policy?.version;
  return before !== undefined && policy.version > before ? policy.version : policy.version + 1;
}

function isPolicyFile(path: string): boolean {
  return path === accessPolicyPath || isMemberName(/^policies\/members\/([^/]+)\.pub$/.exec(path)?.[1] ?? "");
}
