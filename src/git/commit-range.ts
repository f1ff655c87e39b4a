import type { PathChange } from "./path-history.ts";
import type { GitPlace } from "./place.ts";
import { git, tryGit } from "./run.ts";
import { idOrNone, streamLog } from "./stream-log.ts";

/** A commit of a range. All texts are as their writer wrote them: escape them before printing. */
export interface RangeCommit {
  /** Full id. */
  readonly commit: string;
  readonly parents: readonly string[];
  readonly author: { readonly name: string; readonly email: string };
  /** When it was committed, RFC 3339. */
  readonly at: string;
  readonly subject: string;
  /** The value of the trailer that was asked for; undefined where there is none. */
  readonly trailer: string | undefined;
  /** Against the first parent, of the paths that were asked for. */
  readonly changes: readonly PathChange[];
}

export interface CommitRange {
  /** Full id; its history is left out. */
  readonly base: string;
  /** Full id. */
  readonly head: string;
  /** Files and folders; only commits that change something there are listed. */
  readonly paths: readonly string[];
  /** Name of the trailer that is read. */
  readonly trailer: string;
}

const fieldCount = 7;

/**
 * The commits of `head` that `base` does not have and that change files at or below some paths,
 * parents before children. One git process, whatever the user's log settings are. Throws
 * E_GIT_FAILED.
 */
export async function listCommitRange(
  place: GitPlace,
  { base, head, paths, trailer }: CommitRange,
): Promise<RangeCommit[]> {
  const fields = ["%H", "%P", "%an", "%ae", "%cI", `%(trailers:key=${trailer},valueonly,separator=%x2C)`, "%s"];
  const args = [
    "--topo-order",
    "--reverse",
    "--full-history",
    "--diff-merges=first-parent",
    `--format=%x01${fields.join("%x00")}`,
    `^${base}`,
    head,
    "--",
    ...paths,
  ];
  const chunks: Buffer[] = [];
  for await (const chunk of streamLog(place, args)) chunks.push(chunk);
  return parseCommits(Buffer.concat(chunks).toString("utf8").split("\0"));
}

/** Fields that end with NUL: a commit begins with 0x01 and has {@link fieldCount} of them, a change has two. */
function parseCommits(tokens: readonly string[]): RangeCommit[] {
  const commits: (RangeCommit & { readonly changes: PathChange[] })[] = [];
  for (let index = 0; index < tokens.length;) {
    const token = (tokens[index] ?? "").replace(/^\n/, "");
    if (token.startsWith("\u0001")) {
      commits.push(parseCommit([token.slice(1), ...tokens.slice(index + 1, index + fieldCount)]));
      index += fieldCount;
    } else if (token.startsWith(":")) {
      const [, mode = "", before = "", after = ""] = token.split(" ");
      const path = tokens[index + 1] ?? "";
      commits.at(-1)?.changes.push({ path, mode, before: idOrNone(before), after: idOrNone(after) });
      index += 2;
    } else {
      index += 1;
    }
  }
  return commits;
}

function parseCommit(fields: readonly string[]): RangeCommit & { readonly changes: PathChange[] } {
  const [commit = "", parents = "", name = "", email = "", at = "", trailer = "", subject = ""] = fields;
  return {
    commit,
    parents: parents.split(" ").filter((id) => id !== ""),
    author: { name, email },
    at,
    subject,
    trailer: trailer === "" ? undefined : trailer,
    changes: [],
  };
}

/** When a commit was made, in seconds since 1970, as it says itself. `commit` is a full id. */
export async function readCommitTime(place: GitPlace, commit: string): Promise<number> {
  return Number((await git(place, ["log", "--max-count=1", "--no-show-signature", "--format=%ct", commit])).trim());
}

/** The default branch of the remote that the clone came from, as git remembers it; undefined when it does not. */
export async function findDefaultBranch(place: GitPlace): Promise<string | undefined> {
  const ask = ["rev-parse", "--verify", "--quiet", "refs/remotes/origin/HEAD^{commit}"];
  return (await tryGit(place, ask, { allowExit: [1, 128] }))?.trim();
}
