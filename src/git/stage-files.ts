import { type GitDirectories, indexInfo, writeBlobs } from "./commit.ts";
import { withoutFilters } from "./filters.ts";
import type { GitPlace } from "./place.ts";
import { git, tryGit } from "./run.ts";
import { holdUserIndex, sweepGitLeftovers } from "./user-index.ts";

const indexTimeoutMs = 10_000;

/**
 * Puts files into the user's index as they stand in the work tree, and takes removed ones out,
 * as `git add` does but past every filter. Everything else that is staged stays. The index
 * changes whole or not at all, under git's own lock. Throws E_LOCKED, E_GIT_FAILED, E_IO.
 */
export async function stageFiles(
  place: GitPlace,
  directories: GitDirectories,
  { written, removed }: { readonly written: readonly string[]; readonly removed: readonly string[] },
): Promise<void> {
  if (written.length + removed.length === 0) return;
  sweepGitLeftovers(directories);
  const oids = await writeBlobs(place, written);
  const unfiltered = await withoutFilters(place);
  const index = await holdUserIndex(directories, { timeoutMs: indexTimeoutMs });
  try {
    const env = { ...unfiltered, GIT_INDEX_FILE: index.copy };
    await git(place, ["update-index", "-z", "--index-info"], { env, input: indexInfo(oids, removed) });
    // Without it git would take the files for changed, and not give the merge up.
    await tryGit(place, ["update-index", "-q", "--unmerged", "--refresh"], { env, allowExit: [1] });
    index.publish();
  } finally {
    index.release();
  }
}
