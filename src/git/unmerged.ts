import type { GitPlace } from "./place.ts";
import { git } from "./run.ts";

/** One version of a file in conflict, as git's index has it. */
export interface UnmergedStage {
  readonly mode: string;
  /** Full object id. */
  readonly id: string;
}

/** A file that git could not merge; undefined for a version that does not exist. */
export interface UnmergedFile {
  readonly path: string;
  readonly base: UnmergedStage | undefined;
  readonly ours: UnmergedStage | undefined;
  readonly theirs: UnmergedStage | undefined;
}

/** The files that a merge left in conflict in the index, or in that of `env`, sorted as git does. */
export async function listUnmerged(
  place: GitPlace,
  env: Readonly<Record<string, string>> = {},
): Promise<UnmergedFile[]> {
  const output = await git(place, ["ls-files", "--unmerged", "-z"], { env });
  const stages = new Map<string, Map<string, UnmergedStage>>();
  for (const record of output.split("\0")) {
    const tab = record.indexOf("\t");
    if (tab < 0) continue;
    const [mode = "", id = "", stage = ""] = record.slice(0, tab).split(" ");
    const path = record.slice(tab + 1);
    const known = stages.get(path) ?? new Map<string, UnmergedStage>();
    known.set(stage, { mode, id });
    stages.set(path, known);
  }
  return [...stages].map(([path, known]) => ({
    path,
    base: known.get("1"),
    ours: known.get("2"),
    theirs: known.get("3"),
  }));
}
