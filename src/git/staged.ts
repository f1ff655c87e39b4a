import type { GitPlace } from "./place.ts";
import { git } from "./run.ts";

/** A file of the next commit that HEAD has otherwise, or not at all. */
export interface StagedFile {
  readonly path: string;
  readonly mode: string;
  /** Full object id. */
  readonly id: string;
}

/**
 * What is staged and differs from HEAD, removals aside. `index` is the index that git commits,
 * as it tells its hooks by GIT_INDEX_FILE; the user's without.
 */
export async function listStaged(place: GitPlace, index: string | undefined): Promise<StagedFile[]> {
  const args = ["diff", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-relative", "--diff-filter=d"];
  const env = index === undefined || index === "" ? {} : { GIT_INDEX_FILE: index };
  const output = await git(place, [...args, "--no-ext-diff", "--ignore-submodules=all"], { env });
  const parts = output.split("\0");
  const files: StagedFile[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [, mode = "", , id = ""] = (parts[at] ?? "").split(" ");
    files.push({ mode, id, path: parts[at + 1] ?? "" });
  }
  return files;
}
