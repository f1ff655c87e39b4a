import type { Session } from "../access/session.ts";
import { isSealtreeError } from "../errors.ts";
import type { Environment } from "../git/place.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { openCommitTree } from "../store/commit-tree.ts";
import { DeployValues } from "./deploy-values.ts";
import { prepareDeploy } from "./deploy.ts";
import { loadDeployPolicy, type TargetEntry } from "./policy.ts";
import type { RetryTimes } from "./retry.ts";
import type { TargetFailure, TargetProgress } from "./target-job.ts";
import { takesName } from "./target-names.ts";

/** What became of one target that holds a rotated secret. */
export interface DeliveredTarget {
  readonly target: string;
  readonly isRequired: boolean;
  /** True when all that it is to have is there. */
  readonly isInOrder: boolean;
  readonly failures: readonly TargetFailure[];
}

export interface Delivery {
  readonly targets: readonly DeliveredTarget[];
  /** What went wrong beside, such as receipts that could not be pushed. */
  readonly warnings: readonly string[];
}

/**
 * Deploys, from one commit, the targets that hold one of `addresses`, alone or within another value.
 * A target that is not in order is told, and not thrown; a target that is not required too. Takes over
 * nothing and removes nothing. Throws SealtreeError for what keeps all of them from being begun.
 */
export async function deploySecrets(
  session: Session,
  request: {
    readonly addresses: readonly Address[];
    /** Full id of a commit that is here. */
    readonly commit: string;
    readonly env: Environment;
    readonly deadlineMs: number;
    readonly retry?: RetryTimes;
    onProgress?(progress: TargetProgress): void;
  },
): Promise<Delivery> {
  const entries = await findHolders(session, request.commit, request.addresses);
  if (entries.length === 0) return { targets: [], warnings: [] };
  const prepared = await prepareDeploy(session, {
    targets: entries.map(({ name }) => name),
    revision: request.commit,
    policyRevision: request.commit,
    adoption: "none",
    prunes: false,
    deadlineMs: request.deadlineMs,
    env: request.env,
    isDeploy: true,
    ...(request.retry === undefined ? {} : { retry: request.retry }),
    onProgress: (progress) => request.onProgress?.(progress),
  });
  try {
    const outcomes = await prepared.apply();
    const targets = prepared.targets.map(({ entry }): DeliveredTarget => {
      const outcome = outcomes.get(entry.name);
      const isInOrder = outcome?.kind === "in order";
      const failures = outcome?.kind === "conflict" ? [conflict] : (outcome?.failures ?? []);
      return { target: entry.name, isRequired: entry.isRequired, isInOrder, failures };
    });
    return { targets, warnings: prepared.receipts.warnings };
  } finally {
    await prepared.close();
  }
}

const conflict: TargetFailure = {
  class: undefined,
  message: "something there is not ours, so nothing was sent",
  hints: ["sealtree deploy --dry-run shows what; --adopt takes it over"],
};

/** The targets of a commit that hold one of the secrets. */
async function findHolders(session: Session, commit: string, addresses: readonly Address[]): Promise<TargetEntry[]> {
  const tree = await openCommitTree(session.place, commit);
  try {
    const { targets } = await loadDeployPolicy(tree);
    const values = new DeployValues(tree, await session.identities());
    const holders: TargetEntry[] = [];
    for (const entry of targets.values()) if (await holds(entry, addresses, values)) holders.push(entry);
    return holders;
  } finally {
    tree.close();
  }
}

async function holds(entry: TargetEntry, addresses: readonly Address[], values: DeployValues): Promise<boolean> {
  if (addresses.some(({ scope, name }) => entry.scopes.includes(scope) && takesName(entry.only, name))) return true;
  const wanted = new Set(addresses.map(printAddress));
  try {
    return (await values.wanted(entry)).some(({ sources }) => sources.some((source) => wanted.has(source)));
  } catch (error) {
    // What cannot be opened here cannot be deployed from here; whoever can will find it as drift.
    if (isSealtreeError(error)) return false;
    throw error;
  }
}
