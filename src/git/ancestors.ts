import type { GitPlace } from "./place.ts";
import { git, tryGit } from "./run.ts";

/** The parents of a commit, first parent first, as far as this clone has them. `commit` is a full id. */
export async function listParents(place: GitPlace, commit: string): Promise<string[]> {
  const output = await git(place, ["rev-list", "--parents", "--max-count=1", commit]);
  return output.trim().split(" ").slice(1);
}

/**
 * One commit where two histories parted; undefined when this clone has none. There may be several, of
 * which git takes any: what judges a change asks listMergeBases. Both are full ids.
 */
export async function findMergeBase(place: GitPlace, a: string, b: string): Promise<string | undefined> {
  return (await tryGit(place, ["merge-base", a, b], { allowExit: [1] }))?.trim();
}

/** True when `ancestor` is before `commit`, as far as this clone can tell: false when it lacks one of them. Both are full ids. */
export async function isBefore(place: GitPlace, ancestor: string, commit: string): Promise<boolean> {
  if (ancestor === commit) return false;
  return (
    (await tryGit(place, ["merge-base", "--is-ancestor", ancestor, commit], { allowExit: [1, 128] })) !== undefined
  );
}

/** True while a merge waits to be committed. */
export async function isMerging(place: GitPlace): Promise<boolean> {
  const head = ["rev-parse", "--verify", "--quiet", "MERGE_HEAD^{commit}"];
  return (await tryGit(place, head, { allowExit: [1, 128] })) !== undefined;
}
