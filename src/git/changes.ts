import { existsSync } from "node:fs";
import { join } from "node:path";
import { withoutFilters } from "./filters.ts";
import type { GitPlace } from "./place.ts";
import { git } from "./run.ts";

/** A file that differs from HEAD, in the index or in the work tree. */
export interface UncommittedFile {
  readonly path: string;
  /** False for a file that was removed. */
  readonly isThere: boolean;
}

/**
 * Files at or below `paths` that differ from HEAD, untracked ones included, sorted as git does.
 * Runs no filter of the repository, and looks into no submodule.
 */
export async function listUncommitted(place: GitPlace, paths: readonly string[]): Promise<UncommittedFile[]> {
  const args = [
    "--porcelain",
    "-z",
    "--no-renames",
    "--untracked-files=all",
    "--ignore-submodules=all",
    "--",
    ...paths,
  ];
  const output = await git(place, ["status", ...args], { env: await withoutFilters(place) });
  return output
    .split("\0")
    .filter((record) => record !== "")
    .map((record) => ({ path: record.slice(3), isThere: existsSync(join(place.root, record.slice(3))) }));
}
