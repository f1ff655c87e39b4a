import type { Session } from "../access/session.ts";
import { commitNumber } from "../git/commit-number.ts";
import type { Environment } from "../git/place.ts";
import type { Address } from "../secret/address.ts";
import { openCommitTree, type CommitTree } from "../store/commit-tree.ts";
import {
  checkCommitted,
  checkFacts,
  checkMayDeploy,
  checkNames,
  checkNotOlder,
  checkPolicy,
  checkRequired,
  chooseTargets,
  listMissingRequired,
} from "./check-deploy.ts";
import { Deadline } from "./deadline.ts";
import { orderTargets } from "./deploy-order.ts";
import { DeployValues, type SourcedItem } from "./deploy-values.ts";
import type { TargetOutcome } from "./deploy-target.ts";
import { listNamed, readScopeNames } from "./name-findings.ts";
import type { Adoption } from "./plan.ts";
import { readDeployPolicy, type TargetEntry } from "./policy.ts";
import { openReceipts, type ReceiptStore } from "./receipt-store.ts";
import { usualRetry, type RetryTimes } from "./retry.ts";
import { openAccess } from "./target-access.ts";
import { nameKey } from "./target-names.ts";
import { applyAll, lookAtAll, type LookedTarget } from "./run-targets.ts";
import type { JobRun, TargetProgress } from "./target-job.ts";

export interface DeployRequest {
  /** Targets by name; empty for all. */
  readonly targets: readonly string[];
  /** Whose values are deployed; HEAD without, and then the work tree may not differ from it. */
  readonly revision?: string | undefined;
  /** Whose policy holds, and whose credentials are used; HEAD without, and then it must be committed. */
  readonly policyRevision?: string | undefined;
  readonly adoption: Adoption;
  readonly prunes: boolean;
  readonly deadlineMs: number;
  readonly env: Environment;
  /** False for a look that deploys nothing and takes no right to deploy. */
  readonly isDeploy: boolean;
  readonly retry?: RetryTimes;
  onProgress?(progress: TargetProgress): void;
  /** Told of required secrets that are not there, before that is thrown. */
  onMissing?(missing: readonly Address[]): void;
}

/** A run that has looked at everything and sent nothing. Close it. */
export interface PreparedDeploy {
  /** Full id of the commit whose values are deployed. */
  readonly commit: string;
  readonly actor: string | undefined;
  /** In the order they are deployed. */
  readonly targets: readonly LookedTarget[];
  readonly receipts: ReceiptStore;
  /** Sends what differs, target by target in their order, and records it. */
  apply(): Promise<ReadonlyMap<string, TargetOutcome>>;
  close(): Promise<void>;
}

/**
 * Reads what is to be deployed and checks all of it for all targets, then looks at each target. Sends
 * nothing. A target that cannot be looked at has a failure. Throws SealtreeError for what is not fit
 * to be deployed.
 */
export async function prepareDeploy(session: Session, request: DeployRequest): Promise<PreparedDeploy> {
  const deadline = new Deadline(request.deadlineMs);
  const trees = await openTrees(session, request);
  try {
    const { head, source } = trees;
    const file = await readDeployPolicy(head);
    checkPolicy(file);
    const all = file.policy?.targets ?? new Map<string, TargetEntry>();
    // A target that was written and not committed is not there yet, and that is what to say.
    if (request.isDeploy && request.targets.some((name) => !all.has(name))) await checkCommitted(session, [], true);
    const chosen = chooseTargets(all, request.targets);
    await checkNames(file, source, chosen);
    if (request.isDeploy && request.policyRevision === undefined)
      await checkCommitted(session, chosen, request.revision !== undefined);
    const actor = request.isDeploy ? await checkMayDeploy(session, chosen) : undefined;
    const values = new DeployValues(source, await session.identities());
    const credentials = head === source ? values : new DeployValues(head, await session.identities());
    if (request.isDeploy) {
      const missing = await listMissingRequired(source, chosen, values);
      if (missing.length > 0) request.onMissing?.(missing);
      checkRequired(missing);
    }
    const wanted = new Map<TargetEntry, readonly SourcedItem[]>();
    for (const entry of chosen) wanted.set(entry, await values.wanted(entry));
    if (request.isDeploy) checkFacts(wanted);
    const isOrdered = request.isDeploy && chosen.some(({ bound }) => bound.facts.ordersWriters === true);
    const sequence = isOrdered ? await commitNumber(session.place, source.commit) : undefined;
    const receipts = await openReceipts(
      session.place,
      chosen.map(({ name }) => name),
    );
    if (request.isDeploy && request.revision === undefined)
      await checkNotOlder(session, chosen, source.commit, receipts);
    const run: JobRun = {
      commit: source.commit,
      actor,
      sequence,
      receipts,
      deadline,
      retry: request.retry ?? usualRetry,
      adoption: request.adoption,
      prunes: request.prunes,
      now: () => session.now(),
      access: async (entry) => await openAccess(entry, session, request.env, credentials),
      onProgress: (progress) => request.onProgress?.(progress),
    };
    const claimed = await listClaimed(all, source);
    const looked = await lookAtAll(run, orderTargets(chosen).flat(), wanted, claimed);
    deadline.pause();
    return {
      commit: source.commit,
      actor,
      targets: looked,
      receipts,
      async apply() {
        deadline.resume();
        return await applyAll(looked, receipts);
      },
      async close() {
        trees.close();
        for (const { job } of looked) await job.close().catch(() => undefined);
      },
    };
  } catch (error) {
    trees.close();
    throw error;
  }
}

async function openTrees({ place }: Session, { revision, policyRevision = "HEAD" }: DeployRequest) {
  const head = await openCommitTree(place, policyRevision);
  try {
    const source: CommitTree =
      revision === undefined || revision === policyRevision ? head : await openCommitTree(place, revision);
    const close = () => {
      head.close();
      if (source !== head) source.close();
    };
    return { head, source, close };
  } catch (error) {
    head.close();
    throw error;
  }
}

/** Whether a name at a target's place is another target's of the policy. */
async function listClaimed(
  targets: ReadonlyMap<string, TargetEntry>,
  tree: CommitTree,
): Promise<(entry: TargetEntry, name: string) => boolean> {
  const namesOf = readScopeNames(tree);
  const owners = new Map<string, string>();
  const keyOf = ({ kind, bound }: TargetEntry, name: string) =>
    JSON.stringify([kind, bound.place, nameKey(bound.facts.nameRule, name)]);
  for (const entry of targets.values())
    for (const { name } of await listNamed(entry, namesOf)) owners.set(keyOf(entry, name), entry.name);
  return (entry, name) => (owners.get(keyOf(entry, name)) ?? entry.name) !== entry.name;
}
