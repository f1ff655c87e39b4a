import { isAncestor, listFirstParents } from "../git/commit-graph.ts";
import { findCloneFlaws, type CloneFlaw } from "../git/clone-flaws.ts";
import { findGitDirectories, type GitDirectories } from "../git/commit.ts";
import type { GitPlace } from "../git/place.ts";
import type { Refusal } from "./refusal.ts";
import { readVerifiedSteps } from "./verified-steps.ts";
import { verifyHistory, type HistoryRequest, type Verification, type VerifyFinding } from "./verify-history.ts";

export interface CloneRequest extends HistoryRequest {
  /** Whether `from` must be before `to`: a deploy never goes back, a branch may have been cut earlier. */
  readonly mustDescend: boolean;
  /** Goes on from what was verified before, and remembers what is verified now. */
  readonly remembers: boolean;
}

export interface CloneVerification extends Pick<Verification, "findings" | "commits"> {
  /** What the policy of the first commit asks for; undefined when nothing was left to judge. */
  readonly signing: Verification["signing"] | undefined;
  /** True when it went on from a commit that was verified before. */
  readonly isContinued: boolean;
}

const flaws: Readonly<Record<CloneFlaw, Refusal>> = {
  shallow: {
    rule: "shallow",
    message: "the clone is shallow: it ends before the history does",
    hint: "git fetch --unshallow; fetch-depth: 0 for actions/checkout",
  },
  partial: {
    rule: "partial",
    message: "the clone is partial: it leaves out objects and fetches them when asked",
    hint: "clone again without --filter",
  },
  grafts: {
    rule: "grafts",
    message: "info/grafts in the git folder gives commits other parents than they have",
    hint: "remove the file; or clone again",
  },
  "replace-refs": {
    rule: "replace-refs",
    message: "refs below refs/replace/ put other objects in the place of some",
    hint: "git replace -l lists them, git replace -d removes them; or clone again",
  },
};

/** Why nothing can be proven in a clone, whatever its commits are; empty for one that shows its history as it is. */
export async function findCloneRefusals(place: GitPlace, directories?: GitDirectories): Promise<Refusal[]> {
  const found = await findCloneFlaws(place, directories ?? (await findGitDirectories(place)));
  return found.map((flaw) => flaws[flaw]);
}

/**
 * {@link verifyHistory} for a clone that shows its history as it is; any other is refused, and so
 * is a commit that is not after `from` where it must be.
 */
export async function verifyClone(place: GitPlace, request: CloneRequest): Promise<CloneVerification> {
  const { from, to, all, strict } = request;
  const directories = await findGitDirectories(place);
  const refuse = (refusals: readonly Refusal[]) => ({
    findings: refusals.map((refusal): VerifyFinding => ({
      ...refusal,
      commit: undefined,
      subject: "",
      severity: "error",
    })),
    commits: 0,
    signing: undefined,
    isContinued: false,
  });
  const found = await findCloneRefusals(place, directories);
  if (found.length > 0) return refuse(found);
  const memory = request.remembers
    ? readVerifiedSteps(directories.commonDirectory, { root: from, all, strict })
    : undefined;
  if (memory?.has(to) === true) return { findings: [], commits: 0, signing: undefined, isContinued: true };
  if (request.mustDescend && !(await isAncestor(place, from, to))) return refuse([notAnAncestor(from, to)]);
  const chain = memory === undefined ? [] : await listFirstParents(place, from, to);
  const start = chain.find((commit) => memory?.has(commit) === true) ?? from;
  const { verified, ...rest } = await verifyHistory(place, { ...request, from: start });
  memory?.add(verified);
  return { ...rest, isContinued: start !== from };
}

function notAnAncestor(from: string, to: string): Refusal {
  return {
    rule: "not-an-ancestor",
    message: `${to.slice(0, 12)} does not come after ${from.slice(0, 12)}: the history was rewritten, or this goes back`,
    hint: "take a commit that comes after it; to go back, make a commit that does: sealtree rollback",
  };
}
