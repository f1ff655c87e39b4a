import { SealtreeError } from "../errors.ts";
import type { GitPlace } from "./place.ts";
import { git, tryGit } from "./run.ts";

/**
 * The full id of the commit that `revision` names. Nothing but the id is passed to later
 * commands, so a ref that looks like an option does no harm. Throws E_REVISION_NOT_FOUND, with
 * `next` among its hints; it does not repeat `revision`, which somebody may have mistyped.
 */
export async function resolveCommit(place: GitPlace, revision: string, ...next: readonly string[]): Promise<string> {
  const id = await findCommitId(place, revision);
  if (id !== undefined) return id;
  throw new SealtreeError("E_REVISION_NOT_FOUND", "no commit has that name", {
    hints: [...next, "git log --oneline lists commits; a branch, a tag or a commit id will do"],
  });
}

/** True when `text` names a commit. */
export async function isRevision(place: GitPlace, text: string): Promise<boolean> {
  return (await findCommitId(place, text)) !== undefined;
}

async function findCommitId(place: GitPlace, revision: string): Promise<string | undefined> {
  const id = await tryGit(place, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`], {
    allowExit: [1, 128],
  });
  return id !== undefined && /^[0-9a-f]{40,64}$/.test(id.trim()) ? id.trim() : undefined;
}

/**
 * The newest commit from `from` (a full id) back along first parents that was committed at
 * `seconds` since 1970 or before; undefined when none is that old here.
 */
export async function findCommitAt(place: GitPlace, from: string, seconds: number): Promise<string | undefined> {
  const id = await git(place, ["rev-list", "--first-parent", "--max-count=1", `--min-age=${seconds}`, from]);
  return id.trim() === "" ? undefined : id.trim();
}

/** The commit HEAD is at; undefined in a repository without any commit. */
export async function findHead(place: GitPlace): Promise<string | undefined> {
  const id = await tryGit(place, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], { allowExit: [1, 128] });
  return id?.trim();
}

/** True when two commits, given as full ids, have the same files. */
export async function hasSameFiles(place: GitPlace, one: string, other: string): Promise<boolean> {
  return (await tryGit(place, ["diff-tree", "--quiet", one, other], { allowExit: [1] })) !== undefined;
}

export interface TreeEntry {
  readonly mode: string;
  readonly type: string;
  readonly id: string;
  readonly path: string;
}

/** All files of a commit below `directories`, with their modes. Submodules come as type commit. */
export async function listTree(place: GitPlace, commit: string, directories: readonly string[]): Promise<TreeEntry[]> {
  const output = await git(place, ["ls-tree", "-r", "-z", "--full-tree", commit, "--", ...directories]);
  return output
    .split("\0")
    .filter((record) => record !== "")
    .map((record) => {
      const tab = record.indexOf("\t");
      const [mode = "", type = "", id = ""] = record.slice(0, tab).split(" ");
      return { mode, type, id, path: record.slice(tab + 1) };
    });
}
