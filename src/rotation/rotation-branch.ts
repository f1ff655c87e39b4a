import { setTimeout as sleep } from "node:timers/promises";
import type { Session } from "../access/session.ts";
import { hasCode, SealtreeError } from "../errors.ts";
import { commitOnto, findGitDirectories } from "../git/commit.ts";
import { fetchHistory, fetchRefs, isInHistory, pushRefs, type RemoteBranch } from "../git/remote-branch.ts";
import { tryGit, withoutUserInfo } from "../git/run.ts";
import type { Address, SecretName } from "../secret/address.ts";
import { journalPath } from "../store/layout.ts";
import { readText } from "../store/tree.ts";
import type { FileChange } from "../store/write.ts";
import { checkKeysOfTrunk, checkSignedBranch, type BranchJudge } from "./branch-trust.ts";
import { lost, noBranch, refused, regressed, unanswered } from "./branch-errors.ts";
import { reachPoint } from "./crash-points.ts";
import type { Journal } from "./journal.ts";
import { mergeTrunk } from "./merge-trunk.ts";
import { assembleCommit, type MadeEdit } from "./rotation-commit.ts";
import { openRotationView, type RotationView } from "./rotation-view.ts";

/** A step of one rotation that is to be recorded. */
export interface Edit {
  readonly address: Address;
  /** What it does, for the subject: `begin rotating`, `rotate`, `end rotating`. */
  readonly verb: string;
  readonly reason: "rotation" | "emergency" | "rollback";
  /** The journal it was decided on, as it is written; undefined when there was none. */
  readonly before: string | undefined;
  /** What becomes of the files. Made again on the newer commit when somebody else was faster. Throws E_RACED. */
  make(view: RotationView): Promise<Made>;
}

export interface Made {
  /** Undefined when the rotation is over. */
  readonly journal: Journal | undefined;
  /** New records of the scope. */
  readonly records?: ReadonlyMap<SecretName, string>;
  /** Other files of the same commit, such as the public half of a value. */
  readonly alongside?: readonly FileChange[];
}

/** What became of an edit: it is in the remote branch, or it does not fit any more. */
export type EditOutcome = { readonly kind: "recorded" } | { readonly kind: "lost"; readonly error: SealtreeError };

/** The branch of a remote on which rotations are recorded; what is not there has not happened. */
export interface RotationBranch {
  readonly target: RemoteBranch;
  /** The branch that this one is to be merged into by a pull request; undefined where programs take their values from this one. */
  readonly trunk: string | undefined;
  /** The newest commit that is known. */
  view(): RotationView;
  /** Looks what the remote has now; those who ask at once share an answer. Throws E_NETWORK, E_JOURNAL_REGRESSED. */
  sync(): Promise<RotationView>;
  /** How long ago the remote was asked, in milliseconds. */
  ageMs(): number;
  /**
   * Records all `edits` in one commit, while nobody reads an older view, and gives back only when the remote has it. An edit whose
   * journal or values somebody else changed in between is left out. Throws E_PUSH_REFUSED,
   * E_NETWORK, E_RACED: then it is not known here, and the next {@link RotationBranch.sync} tells.
   */
  record(edits: readonly Edit[]): Promise<ReadonlyMap<Edit, EditOutcome>>;
  /**
   * Pushes what the trunk has into the branch, where somebody waits for its pull request, and a branch
   * that was removed while it `isAhead` of the trunk. A race leaves it to the next run.
   */
  publish(state: { readonly isAhead: boolean }): Promise<void>;
  /** Asks the remote whether it would take a push. Throws E_PUSH_REFUSED, E_NETWORK. */
  checkPush(): Promise<void>;
  close(): void;
}

const attempts = 40;

/** How often a remote that does not answer is asked, and how long is waited after the first time. */
const patience = { attempts: 4, firstWaitMs: 500 };

/**
 * With `trunk`, a branch of the same remote, the branch need not be there yet: it begins as the
 * trunk, or where it was when somebody removed it, and every view of it has what the trunk has.
 * Rules and rights are those of the trunk, which somebody has reviewed. `note` goes into each commit
 * of what is recorded. Nothing of the branch is looked at before `judge` and the keys of the trunk clear it:
 * else `sync` throws E_BRANCH_UNTRUSTED. It throws E_NO_REMOTE when the remote does not have the branch, and E_MERGE_CONFLICT.
 */
export async function openRotationBranch(
  session: Session,
  target: RemoteBranch,
  trunk?: string,
  note?: string,
  judge?: BranchJudge,
): Promise<RotationBranch> {
  const { place } = session;
  const directories = await findGitDirectories(place);
  // A remote may be an address, and an address may have a token in it.
  const name = withoutUserInfo(target.remote);
  const branchRef = `refs/heads/${target.branch}`;
  // Moves with the branch in one push and never back: a branch that was forced back is behind it.
  const guardRef = `refs/sealtree/rotation/${target.branch}`;
  const trunkRef = trunk === undefined ? undefined : `refs/heads/${trunk}`;
  let current: RotationView | undefined;
  /** Still in use by steps that were begun on them. */
  const retired: RotationView[] = [];
  const closeRetired = () => retired.splice(0).forEach((view) => view.close());
  let syncedAt = 0;
  /** True while the remote does not have the branch itself. */
  let isGone = false;

  const adopt = async (commit: string, trunkTip: string | undefined) => {
    syncedAt = performance.now();
    if (current?.commit === commit && current.trunkCommit === (trunkTip ?? commit)) return current;
    const next = await openRotationView(session, commit, trunkTip);
    if (current !== undefined) retired.push(current);
    current = next;
    return next;
  };

  const view = () => {
    if (current === undefined) throw new Error("the branch was not fetched");
    return current;
  };

  const ask = async () => {
    const refs = trunkRef === undefined ? [branchRef, guardRef] : [branchRef, guardRef, trunkRef];
    const found = await fetchRefs(place, target.remote, refs);
    const trunkTip = trunkRef === undefined ? undefined : found.get(trunkRef);
    if (trunk !== undefined && trunkTip === undefined) throw noBranch(name, trunk);
    // A branch that was removed with its pull request goes on where it was.
    const tip = found.get(branchRef) ?? (trunk === undefined ? undefined : (found.get(guardRef) ?? trunkTip));
    if (tip === undefined) throw noBranch(name, target.branch);
    isGone = !found.has(branchRef);
    const remembered = (
      await tryGit(place, ["rev-parse", "--verify", "--quiet", guardRef], { allowExit: [1, 128] })
    )?.trim();
    const guard = found.get(guardRef);
    for (const each of new Set([guard, remembered]))
      if (each !== undefined && !(await isKnown(each, tip)))
        throw regressed(target, name, each, each === guard ? "there" : "here");
    const commit = await trusted({ tip, ref: found.has(branchRef) ? branchRef : guardRef }, trunkTip);
    // Never back: what was seen once must stay in the branch.
    if (guard !== undefined && guard !== remembered && (remembered === undefined || (await isKnown(remembered, guard))))
      await remember(guard);
    return await adopt(commit, trunkTip);
  };

  /** What was found to be accepted, so that a run judges it once. */
  const accepted = new Set<string>();
  /** The tip with all that the trunk has. Throws E_BRANCH_UNTRUSTED before anything of it is used. */
  const trusted = async (
    { tip, ref }: { readonly tip: string; readonly ref: string },
    trunkTip: string | undefined,
  ) => {
    if (trunkTip === undefined || tip === trunkTip) return tip;
    const found = { remote: name, branch: target.branch, ref, tip, trunkTip };
    const range = `${trunkTip} ${tip}`;
    if (!accepted.has(range)) {
      await fetchHistory(place, target.remote, tip);
      await checkSignedBranch(place, found, judge);
      accepted.add(range);
    }
    const commit = await withTrunk(tip, trunkTip);
    await checkKeysOfTrunk(place, found, commit);
    return commit;
  };

  let merged: { readonly of: string; readonly commit: string } | undefined;
  const withTrunk = async (tip: string, trunkTip: string | undefined) => {
    if (trunk === undefined || trunkTip === undefined || (await isKnown(trunkTip, tip))) return tip;
    const of = `${tip} ${trunkTip}`;
    if (merged?.of !== of) {
      const branches = { branch: target.branch, tip, trunk, trunkTip };
      merged = { of, commit: await mergeTrunk(place, directories, branches) };
    }
    return merged.commit;
  };

  const isKnown = (ancestor: string, commit: string) => isInHistory(place, target.remote, ancestor, commit);

  const askTwice = async () => {
    try {
      return await ask();
    } catch (error) {
      if (!hasCode(error, "E_JOURNAL_REGRESSED")) throw error;
      // A list of refs that was read while a push moved them has the old branch beside the new guard.
      return await ask();
    }
  };

  let asking: Promise<RotationView> | undefined;
  const sync = async () => {
    asking ??= askTwice().finally(() => (asking = undefined));
    return await asking;
  };

  /** Another process in this clone may hold the ref; then that one remembers. */
  const remember = (guard: string) => tryGit(place, ["update-ref", guardRef, guard], { allowExit: [1, 128] });

  const syncPatiently = async () => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await sync();
      } catch (error) {
        if (!hasCode(error, "E_NETWORK") || attempt >= patience.attempts) throw error;
        await sleep(patience.firstWaitMs * 2 ** (attempt - 1));
      }
    }
  };

  const push = (commit: string, isDryRun = false) =>
    pushRefs(
      place,
      target.remote,
      [
        { ref: branchRef, commit },
        { ref: guardRef, commit },
      ],
      { isDryRun },
    );

  return {
    target,
    trunk,
    view,
    sync,
    ageMs: () => performance.now() - syncedAt,
    async record(edits) {
      closeRetired();
      const outcomes = new Map<Edit, EditOutcome>();
      const settle = (made: readonly MadeEdit[]) => {
        for (const { edit } of made) outcomes.set(edit, { kind: "recorded" });
        return outcomes;
      };
      const sent: { readonly commit: string; readonly made: readonly MadeEdit[] }[] = [];
      for (let attempt = 1, silent = 0; attempt <= attempts; attempt++) {
        const open = edits.filter((edit) => !outcomes.has(edit));
        const made = await makeAll(view(), open, outcomes);
        if (made.length === 0) return outcomes;
        const request = { parent: view().commit, ...(await assembleCommit(view(), made, note)) };
        const commit = await commitOnto(place, directories, request);
        reachPoint("commit:after");
        reachPoint("push:before");
        const pushed = await push(commit);
        reachPoint("push:after");
        if (pushed.kind === "refused") throw refused(target, name, pushed.why);
        if (pushed.kind === "pushed") {
          const { trunkCommit } = view();
          isGone = false;
          await remember(commit);
          await adopt(commit, trunk === undefined ? undefined : trunkCommit);
          return settle(made);
        }
        // It may be there all the same: also one that curl sent twice, of which git sees the second answer.
        sent.push({ commit, made });
        if (pushed.kind === "unknown" && ++silent > patience.attempts) throw unanswered(name);
        // Those who race take turns better when they do not all come back at once.
        const wait = pushed.kind === "unknown" ? 2 ** (silent - 1) * patience.firstWaitMs : 50 * Math.min(attempt, 10);
        await sleep(Math.random() * wait);
        const { commit: tip } = await syncPatiently();
        for (const each of sent) if (await isKnown(each.commit, tip)) return settle(each.made);
      }
      throw new SealtreeError("E_RACED", `${target.branch} kept moving while sealtree was pushing`, {
        hints: ["nothing is lost: run the command again, and it goes on where it was"],
      });
    },
    async publish({ isAhead }) {
      const { commit, trunkCommit } = view();
      if (trunk === undefined || commit === trunkCommit) return;
      if (commit !== merged?.commit && !(isGone && isAhead)) return;
      const pushed = await push(commit);
      if (pushed.kind === "pushed") await remember(commit);
      if (pushed.kind === "refused") throw refused(target, name, pushed.why);
    },
    async checkPush() {
      const pushed = await push(view().commit, true);
      if (pushed.kind === "refused") throw refused(target, name, pushed.why);
      if (pushed.kind === "unknown") throw unanswered(name);
    },
    close() {
      closeRetired();
      current?.close();
    },
  };
}

async function makeAll(
  view: RotationView,
  edits: readonly Edit[],
  outcomes: Map<Edit, EditOutcome>,
): Promise<MadeEdit[]> {
  const made: MadeEdit[] = [];
  for (const edit of edits) {
    try {
      if ((await readText(view.tree, journalPath(edit.address))) !== edit.before) throw lost(edit.address);
      made.push({ edit, ...(await edit.make(view)) });
    } catch (error) {
      if (!hasCode(error, "E_RACED")) throw error;
      outcomes.set(edit, { kind: "lost", error });
    }
  }
  return made;
}
