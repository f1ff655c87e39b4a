import { orderTargets } from "./deploy-order.ts";
import { deployTarget, type TargetOutcome } from "./deploy-target.ts";
import type { SourcedItem } from "./deploy-values.ts";
import type { TargetEntry } from "./policy.ts";
import type { ReceiptStore } from "./receipt-store.ts";
import { TargetJob, toFailure, type JobRun, type TargetFailure } from "./target-job.ts";

/** A target that was looked at. */
export interface LookedTarget {
  readonly entry: TargetEntry;
  readonly job: TargetJob;
  readonly items: readonly SourcedItem[];
  /** Why it could not be looked at. */
  readonly failure: TargetFailure | undefined;
}

/** Connects to all targets at once and plans for each; one that cannot be looked at has a failure. */
export async function lookAtAll(
  run: JobRun,
  entries: readonly TargetEntry[],
  wanted: ReadonlyMap<TargetEntry, readonly SourcedItem[]>,
  claimed: (entry: TargetEntry, name: string) => boolean,
): Promise<LookedTarget[]> {
  return await Promise.all(
    entries.map(async (entry) => {
      const items = wanted.get(entry) ?? [];
      const job = new TargetJob(run, entry, items, (name) => claimed(entry, name));
      try {
        await job.look();
        return { entry, job, items, failure: undefined };
      } catch (error) {
        return { entry, job, items, failure: toFailure(error) };
      }
    }),
  );
}

/**
 * Deploys group by group; after a canary or something that others wait for has failed, those are not begun.
 * In the end the receipts are handed to the remote.
 */
export async function applyAll(
  looked: readonly LookedTarget[],
  receipts: ReceiptStore,
): Promise<ReadonlyMap<string, TargetOutcome>> {
  const outcomes = new Map<string, TargetOutcome>();
  const byName = new Map(looked.map((target) => [target.entry.name, target]));
  for (const group of orderTargets(looked.map(({ entry }) => entry))) {
    await Promise.all(
      group.map(async (entry) => {
        const target = byName.get(entry.name);
        if (target === undefined) return;
        const blocker = findBlocker(entry, byName, outcomes);
        outcomes.set(entry.name, blocker === undefined ? await applyOne(target) : skipped(target, blocker));
      }),
    );
  }
  await receipts.push();
  return outcomes;
}

async function applyOne({ job, failure }: LookedTarget): Promise<TargetOutcome> {
  if (failure === undefined) return await deployTarget(job);
  return { kind: "failed", steps: [], written: [], removed: [], failures: [failure] };
}

/** The first target that this one waits for and that is not in order. */
function findBlocker(
  entry: TargetEntry,
  byName: ReadonlyMap<string, LookedTarget>,
  outcomes: ReadonlyMap<string, TargetOutcome>,
): string | undefined {
  const canaries = entry.isCanary ? [] : [...byName.values()].filter((other) => other.entry.isCanary);
  const names = [...canaries.map((canary) => canary.entry.name), ...entry.after.filter((name) => byName.has(name))];
  return names.find((name) => outcomes.get(name)?.kind !== "in order");
}

function skipped({ job }: LookedTarget, blocker: string): TargetOutcome {
  const failure = {
    class: undefined,
    message: `not begun: ${blocker}, which comes first, is not in order`,
    hints: [`bring ${blocker} in order, then run the command again`],
  };
  return { kind: "skipped", steps: job.steps, written: [], removed: [], failures: [failure] };
}
