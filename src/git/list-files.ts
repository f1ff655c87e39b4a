import type { GitPlace } from "./place.ts";
import { findHead } from "./revision.ts";
import { git } from "./run.ts";

/** A file as the index has it. */
export interface IndexFile {
  readonly path: string;
  readonly mode: string;
  /** Full object id. */
  readonly id: string;
}

/**
 * Files of the work tree: those git tracks and those it would take, and with `withIgnored` all
 * others too. A folder that is a repository of its own comes as one path that ends with `/`; a tracked
 * file may be gone.
 */
export async function listWorkFiles(place: GitPlace, { withIgnored }: { withIgnored: boolean }): Promise<string[]> {
  const others = withIgnored ? [] : ["--exclude-standard"];
  const output = await git(place, ["ls-files", "-z", "--cached", "--others", "--deduplicate", ...others]);
  return splitFields(output);
}

/** Files that are in the index and not the same in HEAD; the sides of a conflict are not among them. */
export async function listStaged(place: GitPlace): Promise<IndexFile[]> {
  if ((await findHead(place)) === undefined) return await listIndex(place);
  const plain = ["--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-relative", "--ignore-submodules=none"];
  const fields = splitFields(await git(place, ["diff-index", ...plain, "--diff-filter=AMT", "HEAD", "--"]));
  return fields.flatMap((field, index): IndexFile[] => {
    const path = fields[index + 1];
    if (index % 2 === 1 || path === undefined) return [];
    const [, mode = "", , id = ""] = field.split(" ");
    return [{ path, mode, id }];
  });
}

async function listIndex(place: GitPlace): Promise<IndexFile[]> {
  return splitFields(await git(place, ["ls-files", "--stage", "-z"])).map((field) => {
    const tab = field.indexOf("\t");
    const [mode = "", id = ""] = field.slice(0, tab).split(" ");
    return { path: field.slice(tab + 1), mode, id };
  });
}

function splitFields(output: string): string[] {
  return output.split("\0").filter((field) => field !== "");
}
