import type { Identity } from "../crypto/identity.ts";
import { SealtreeError } from "../errors.ts";
import { listMergeBases } from "../git/commit-graph.ts";
import { readCommitTime } from "../git/commit-range.ts";
import type { GitPlace } from "../git/place.ts";
import { resolveCommit } from "../git/revision.ts";
import { isShallow } from "../history/scope-commits.ts";
import { dayMs } from "../rotation/duration.ts";
import { printAddress } from "../secret/address.ts";
import { openCommitTree } from "../store/commit-tree.ts";
import { accessPolicyPath } from "../store/layout.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { compareAccess } from "./report-access.ts";
import { listScopeChanges, listSecretChanges, type ScopeChange, type SecretChange } from "./report-changes.ts";
import { lookDeeper } from "./report-deep.ts";
import type { ChangeOrigin, ReportFacts } from "./report-facts.ts";
import { compareFindings } from "./report-findings.ts";
import { findEarlierValues, findSetters, listReportCommits } from "./report-history.ts";
import { comparePolicies } from "./report-policy.ts";
import { compareRotation, lookAhead } from "./report-rotation.ts";
import { emptySide, goneSide, listOtherFiles, readSide, toAccessSides } from "./report-side.ts";
import type { ScopeSnapshot, Snapshots } from "./report-snapshot.ts";
import { judge, listReasons, type Reason, type Verdict } from "./report-verdict.ts";
import { verifyRange } from "./report-verify.ts";

export interface ReportRequest {
  /** Revision. The head is compared with the commit where its history parted from that of `base`. */
  readonly base: string;
  /** Revision; undefined for the work tree. */
  readonly head: string | undefined;
  readonly now: Date;
  /** Looks into the values too, as far as these open them. */
  readonly identities?: readonly Identity[] | undefined;
}

/** What a change of secrets comes to. */
export interface Report extends ReportFacts {
  readonly verdict: Verdict;
  /** Most important first. */
  readonly reasons: readonly Reason[];
}

/**
 * What a pull request does to secrets and to who can read them, by headers, keyrings and policies
 * alone. Runs nothing of the tree, and opens a value only with `identities`. Throws
 * E_REVISION_NOT_FOUND, and E_NOT_INITIALISED when neither side has anything of sealtree.
 */
export async function compareRevisions(place: GitPlace, request: ReportRequest): Promise<Report> {
  const [from, to] = await Promise.all([
    resolveCommit(place, request.base),
    resolveCommit(place, request.head ?? "HEAD"),
  ]);
  const [[base, ...others], shallow] = await Promise.all([listMergeBases(place, from, to), isShallow(place)]);
  if (base === undefined) throw nothingInCommon(shallow);
  const oldTree = await openCommitTree(place, base);
  const commitTree = request.head === undefined ? undefined : await openCommitTree(place, to);
  const newTree = commitTree ?? openWorkTree(place.root);
  try {
    const { now, identities } = request;
    const [before, after, commits, verification, files] = await Promise.all([
      readSide(oldTree, now),
      readSide(newTree, now, oldTree),
      listReportCommits(place, base, to),
      verifyRange(place, { base, head: to }),
      listOtherFiles(oldTree, newTree),
    ]);
    if (before === undefined && after === undefined) throw nothingThere(base);
    const [old, head] = [before ?? emptySide, after ?? goneSide];
    const found = listScopeChanges(old.snapshots, head.snapshots);
    const earlier = await findEarlier(place, base, listSecretChanges(found));
    const scopes = found.map((change) => markRolledBack(change, earlier));
    const changes = listSecretChanges(scopes);
    const setters = await findSetters(place, commits, changes);
    const facts: ReportFacts = {
      base,
      isBaseClear: others.length === 0,
      head: commitTree?.commit,
      scopes,
      access: compareAccess(toAccessSides(old, head)),
      policy: comparePolicies(old.policy, head.policy),
      rotation: compareRotation(old.rotation, head.rotation, head.snapshots),
      files,
      findings: compareFindings(old.findings, head.findings),
      overdue: countOf(head.snapshots, ({ overdue }) => overdue.length),
      stale: countOf(head.snapshots, ({ stale }) => stale.length),
      commits,
      verification,
      deep:
        identities === undefined
          ? undefined
          : await lookDeeper({
              identities,
              oldTree,
              newTree,
              before: old.snapshots,
              after: head.snapshots,
              changes,
              now,
            }),
      warnings: shallow ? [shallowWarning] : [],
      originOf(address): ChangeOrigin {
        const createdAt = head.snapshots.get(address.scope)?.secrets.get(address.name)?.createdAt;
        return {
          commit: setters.get(printAddress(address)),
          earlier: earlier.get(printAddress(address)),
          rotation: createdAt === undefined ? undefined : lookAhead(head.rotation, address, createdAt, now),
        };
      },
    };
    const reasons = listReasons(facts);
    return { ...facts, reasons, verdict: judge(reasons) };
  } finally {
    oldTree.close();
    commitTree?.close();
  }
}

const shallowWarning =
  "this clone is shallow: an earlier value that comes back may not be known as one (git fetch --unshallow, or fetch-depth: 0 in a workflow)";

/** By address: the commit that had the value of a change before the base. */
async function findEarlier(
  place: GitPlace,
  base: string,
  changes: readonly SecretChange[],
): Promise<ReadonlyMap<string, string>> {
  const latest = (await readCommitTime(place, base)) + dayMs / 1000;
  // A value that was set later than the base cannot have been there before; clocks may be a day apart.
  const candidates = changes.filter(
    ({ kind, after }) => (kind === "added" || kind === "changed") && after !== undefined && after.createdAt <= latest,
  );
  if (candidates.length === 0) return new Map();
  return await findEarlierValues(place, base, candidates);
}

function markRolledBack(change: ScopeChange, earlier: ReadonlyMap<string, string>): ScopeChange {
  const secrets = change.secrets.map((secret): SecretChange =>
    earlier.has(printAddress(secret)) ? { ...secret, kind: "rolled-back" } : secret,
  );
  return { ...change, secrets };
}

function countOf(snapshots: Snapshots, count: (snapshot: ScopeSnapshot) => number): number {
  return [...snapshots.values()].reduce((total, snapshot) => total + count(snapshot), 0);
}

function nothingInCommon(shallow: boolean): SealtreeError {
  const why = shallow ? ": this clone is shallow, and the commit where they parted is missing" : "";
  return new SealtreeError("E_REVISION_NOT_FOUND", `the two revisions have no commit in common here${why}`, {
    hints: [
      shallow
        ? "fetch the rest: git fetch --unshallow, or fetch-depth: 0 in a workflow"
        : "name two revisions of one history, such as origin/main..HEAD",
    ],
  });
}

function nothingThere(base: string): SealtreeError {
  return new SealtreeError(
    "E_NOT_INITIALISED",
    `no ${accessPolicyPath} in what is compared, nor in ${base.slice(0, 12)}`,
    {
      hints: ["start with: sealtree init"],
    },
  );
}
