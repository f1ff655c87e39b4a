import { isSealtreeError } from "../errors.ts";
import type { Address } from "../secret/address.ts";
import { inspectRotation } from "./begin-rotation.ts";
import { reachPoint } from "./crash-points.ts";
import { mapLimit } from "../services/map-limit.ts";
import { RotationJob, type Step } from "./rotation-job.ts";
import type { RotationRequest } from "./rotation-request.ts";
import { toFailure, type RotationOutcome } from "./rotation-outcome.ts";
import type { Edit } from "./rotation-branch.ts";
import type { RotationRun } from "./rotation-run.ts";

/** What became of one secret. */
export interface RotationResult {
  readonly address: Address;
  readonly outcome: RotationOutcome;
}

export interface RunLimits {
  /** How many secrets share the commits of their steps. */
  readonly batchSize: number;
  /** How many providers are talked to at a time. */
  readonly parallel: number;
}

export type OnRotated = (progress: { readonly done: number; readonly total: number }) => void;

/**
 * Rotates secrets at their providers, in batches: each step of a batch is one commit, which the
 * remote branch has before any provider is asked for what comes next. One secret that fails does
 * not stop the others. When the remote cannot be reached any more, what is left is given back as
 * failed. Gives the results in the order of `requests`.
 */
export async function runRotations(
  run: RotationRun,
  requests: readonly RotationRequest[],
  { batchSize, parallel }: RunLimits,
  onRotated?: OnRotated,
): Promise<RotationResult[]> {
  const results = new Map<RotationRequest, RotationOutcome>();
  for (let start = 0; start < requests.length; start += batchSize) {
    const jobs = requests.slice(start, start + batchSize).map((request) => new RotationJob(run, request));
    try {
      await runBatch(run, jobs, parallel, (job, outcome) => {
        results.set(job.request, outcome);
        onRotated?.({ done: results.size, total: requests.length });
      });
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      // Nothing more can be recorded, so nothing more may be done.
      for (const request of requests)
        if (!results.has(request))
          results.set(
            request,
            toFailure(
              error,
              jobs.some((job) => job.request === request),
            ),
          );
      break;
    } finally {
      await Promise.all(jobs.map((job) => job.close()));
    }
  }
  reachPoint("advance:before");
  return requests.flatMap((request) => {
    const outcome = results.get(request);
    return outcome === undefined ? [] : [{ address: request.address, outcome }];
  });
}

/** Looks at everything that a rotation needs and changes nothing, here, at the remote and at the providers. */
export async function inspectRotations(
  run: RotationRun,
  requests: readonly RotationRequest[],
  parallel: number,
): Promise<RotationResult[]> {
  await run.branch.checkPush();
  return await mapLimit(requests, parallel, async (request) => {
    const job = new RotationJob(run, request);
    try {
      return { address: request.address, outcome: await inspectRotation(job, run.branch.view()) };
    } catch (error) {
      return { address: request.address, outcome: toFailure(error, false) };
    } finally {
      await job.close();
    }
  });
}

async function runBatch(
  run: RotationRun,
  jobs: readonly RotationJob[],
  parallel: number,
  onOutcome: (job: RotationJob, outcome: RotationOutcome) => void,
): Promise<void> {
  let open = jobs;
  while (open.length > 0) {
    const view = run.branch.view();
    const steps = new Map<RotationJob, Step>();
    await mapLimit(open, parallel, async (job) => steps.set(job, await job.step(view)));
    const edits = [...steps.values()].flatMap(({ edit }): Edit[] => (edit === undefined ? [] : [edit]));
    const recorded = edits.length === 0 ? new Map<never, never>() : await run.branch.record(edits);
    const next: RotationJob[] = [];
    for (const [job, { edit, outcome }] of steps) {
      const made = edit === undefined ? undefined : recorded.get(edit);
      const isLost = made?.kind === "lost";
      const end = isLost && outcome === undefined ? toFailure(made.error, true) : outcome;
      if (isLost && !job.isLost) {
        job.lose(made.error);
        next.push(job);
      } else if (end === undefined) next.push(job);
      else onOutcome(job, end);
    }
    open = next;
  }
}
