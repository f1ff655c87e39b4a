import { readChangeHistory, type ChangeCommit } from "../git/change-history.ts";
import type { GitPlace } from "../git/place.ts";
import { git } from "../git/run.ts";
import type { ScopePath } from "../secret/address.ts";
import { reasonTrailer } from "../store/commit-message.ts";
import { scopeFilePath } from "../store/layout.ts";

/** A commit as the log shows it. All texts are as their writer wrote them: escape them before printing. */
export interface CommitInfo {
  readonly commit: string;
  readonly author: { readonly name: string; readonly email: string };
  /** When it was committed, RFC 3339. */
  readonly at: string;
  /** The trailer Sealtree-Reason; undefined for a commit that plain git made. */
  readonly reason: string | undefined;
  readonly subject: string;
  /** What the writer gave with `--reason`, in its own words; undefined for none, and for a commit that plain git made. */
  readonly note: string | undefined;
}

/** A commit that touched a scope's file. */
export interface ScopeCommit extends CommitInfo {
  /** Object ids of the file in its parents; undefined where it was not there. */
  readonly before: readonly (string | undefined)[];
  /** Object id of the file; undefined where it is removed. */
  readonly after: string | undefined;
  /** False for a symbolic link and the like. */
  readonly isRegular: boolean;
}

/**
 * The commits reachable from `from` (a full id) that explain the present file of `scope`, every
 * commit before its parents. One git process, whatever the user's log settings are.
 */
export async function listScopeCommits(place: GitPlace, scope: ScopePath, from: string): Promise<ScopeCommit[]> {
  const path = scopeFilePath(scope);
  const commits: ScopeCommit[] = [];
  const options = { from, paths: [path], trailer: reasonTrailer, order: "topo" } as const;
  for await (const commit of readChangeHistory(place, options)) {
    const change = commit.changes.find((each) => each.path === path);
    if (change === undefined) continue;
    const isRegular = change.after === undefined || change.mode.startsWith("100");
    commits.push({ ...toCommitInfo(commit), before: change.before, after: change.after, isRegular });
  }
  return commits;
}

/** A commit of the history as the log shows it. */
export function toCommitInfo({ commit, author, at, trailer, subject, firstLine }: ChangeCommit): CommitInfo {
  const hasNote = trailer !== undefined && firstLine !== "" && !firstLine.startsWith("Sealtree-");
  return { commit, author, at, reason: trailer, subject, note: hasNote ? firstLine : undefined };
}

/** True when the repository lacks the older part of its history. */
export async function isShallow(place: GitPlace): Promise<boolean> {
  return (await git(place, ["rev-parse", "--is-shallow-repository"])).trim() === "true";
}
