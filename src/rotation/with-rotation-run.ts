import { join } from "node:path";
import type { Session } from "../access/session.ts";
import { SealtreeError } from "../errors.ts";
import { advanceHead } from "../git/advance.ts";
import { checkCommitter, findGitDirectories } from "../git/commit.ts";
import { checkNothingInProgress } from "../git/in-progress.ts";
import { findRemoteBranch, isInHistory } from "../git/remote-branch.ts";
import { findHead, hasSameFiles } from "../git/revision.ts";
import { withoutUserInfo } from "../git/run.ts";
import { withLock } from "../store/lock.ts";
import type { BranchJudge } from "./branch-trust.ts";
import type { Delivery } from "./delivery.ts";
import { openRotationBranch } from "./rotation-branch.ts";
import { bindRule, callTimeoutMs, type RotationRun } from "./rotation-run.ts";
import { listUnmergedChanges, type UnmergedChanges } from "./unmerged-changes.ts";

/** How a run ended: what `work` gave, and whether the present branch has what was recorded. */
export interface EndedRun<T> {
  readonly result: T;
  readonly isAdvanced: boolean;
  /** Such as `origin/main`. */
  readonly branch: string;
  /** The branch that a pull request would merge it into; undefined where it is that one. */
  readonly trunk: string | undefined;
  /** What the branch has and its trunk lacks; undefined without a trunk, and where both have the same files. */
  readonly unmerged: UnmergedChanges | undefined;
}

/** Where a run records and what it brings new values to, where that is not the usual. */
export interface RunPlaces {
  readonly forMerge?: string | undefined;
  readonly delivery?: Delivery | undefined;
  /** Judges what others may have pushed to the branch of `forMerge`; needed where the policy asks for signatures. */
  readonly judge?: BranchJudge | undefined;
  /** True moves nothing, here and at the remote, when `work` is done. */
  readonly isDryRun?: boolean | undefined;
  /** Free words of the person for what is recorded. */
  readonly note?: string | undefined;
}

/**
 * Runs `work` as one run of the engine, on the branch that the present one is pushed to; in the end
 * the present branch is moved on to what was recorded. With `forMerge`, it is recorded on the branch
 * of that name, to be merged into the other, and the present branch stays where it is. Throws E_NO_REMOTE, E_NETWORK,
 * E_JOURNAL_REGRESSED, E_BRANCH_UNTRUSTED, E_GIT_IDENTITY, and E_NOT_PUSHED for a branch that has commits of its own.
 */
export async function withRotationRun<T>(
  session: Session,
  env: RotationRun["env"],
  work: (run: RotationRun) => Promise<T>,
  { forMerge, delivery, judge, isDryRun = false, note }: RunPlaces = {},
): Promise<EndedRun<T>> {
  const { place } = session;
  const directories = await findGitDirectories(place);
  checkNothingInProgress(directories.gitDirectory);
  await checkCommitter(place);
  const trunk = await findRemoteBranch(place);
  const isForMerge = forMerge !== undefined && forMerge !== trunk.branch;
  const target = isForMerge ? { remote: trunk.remote, branch: forMerge } : trunk;
  const holder = Buffer.from(session.random(8)).toString("hex");
  const lockPath = (of: string) => join(directories.commonDirectory, "sealtree", "runs", of);
  const branch = await openRotationBranch(session, target, isForMerge ? trunk.branch : undefined, note, judge);
  const label = `${withoutUserInfo(target.remote)}/${target.branch}`;
  try {
    const { trunkCommit } = await branch.sync();
    const head = await findHead(place);
    if (head !== undefined && !(await isInHistory(place, target.remote, head, trunkCommit))) {
      const there = `${withoutUserInfo(trunk.remote)}/${trunk.branch}`;
      throw new SealtreeError("E_NOT_PUSHED", `the present branch has commits that ${there} does not have`, {
        hints: ["git push, or git pull first when both have", "a rotation is recorded on what everybody has"],
      });
    }
    const run: RotationRun = {
      session,
      branch,
      holder,
      env,
      timeoutMs: callTimeoutMs,
      retry: { attempts: 4, firstWaitMs: 500 },
      bind: bindRule,
      delivery,
      lockPath,
    };
    const result = await withLock(lockPath(holder), { timeoutMs: 0 }, () => work(run));
    const { commit, trunkCommit: base } = branch.view();
    const isAhead = isForMerge && !(await hasSameFiles(place, commit, base));
    if (!isDryRun) await branch.publish({ isAhead });
    const isAdvanced = isForMerge || isDryRun || (await advanceHead(place, commit));
    const unmerged = isAhead ? await listUnmergedChanges(branch.view()) : undefined;
    return { result, isAdvanced, branch: label, trunk: isForMerge ? trunk.branch : undefined, unmerged };
  } finally {
    branch.close();
  }
}
