import { withoutFilters } from "./filters.ts";
import type { GitPlace } from "./place.ts";
import { findHead } from "./revision.ts";
import { runGit } from "./run.ts";

/**
 * Moves the present branch, the index and the work tree on to `commit`, which comes after it. No
 * hook for merges or checkouts runs. False when git will not, as with changes of the user's in
 * the way; everything is then as before.
 */
export async function advanceHead(place: GitPlace, commit: string): Promise<boolean> {
  const head = await findHead(place);
  if (head === undefined || head === commit) return head === commit;
  // Git takes a file whose times it has not written down for a changed one, such as after a commit of ours.
  await runGit(place, ["update-index", "-q", "--refresh"], { env: await withoutFilters(place) });
  const moved = await runGit(place, ["read-tree", "-m", "-u", head, commit]);
  if (moved.exitCode !== 0) return false;
  const update = ["update-ref", "-m", "sealtree: rotate", "HEAD", commit, head];
  return (await runGit(place, update)).exitCode === 0;
}
