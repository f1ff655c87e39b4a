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
}

/** A commit that touched a scope's file. */
export interface ScopeCommit extends CommitInfo {
  /** The nearest commits before it that touched the file too; none for the first. */
  readonly parents: readonly string[];
}

const fields = ["%H", "%P", "%an", "%ae", "%cI", `%(trailers:key=${reasonTrailer},valueonly,separator=%x2C)`, "%s"];

/**
 * The commits reachable from `from` (a full id) that explain the present file of `scope`, every
 * commit before its children. One git process, whatever the user's log settings are.
 */
export async function listScopeCommits(place: GitPlace, scope: ScopePath, from: string): Promise<ScopeCommit[]> {
  const plain = ["--no-follow", "--no-show-signature", "--no-mailmap", "--encoding=UTF-8"];
  const format = `--format=${fields.join("%n")}`;
  const output = await git(place, [
    "log",
    "-z",
    "--topo-order",
    "--parents",
    ...plain,
    format,
    from,
    "--",
    scopeFilePath(scope),
  ]);
  return output
    .split("\0")
    .filter((text) => text !== "")
    .map(parseCommit)
    .reverse();
}

/** True when the repository lacks the older part of its history. */
export async function isShallow(place: GitPlace): Promise<boolean> {
  return (await git(place, ["rev-parse", "--is-shallow-repository"])).trim() === "true";
}

function parseCommit(text: string): ScopeCommit {
  const [commit = "", parents = "", name = "", email = "", at = "", reason = "", subject = ""] = text.split("\n");
  return {
    commit,
    parents: parents.split(" ").filter((id) => id !== ""),
    author: { name, email },
    at,
    reason: reason === "" ? undefined : reason,
    subject,
  };
}
