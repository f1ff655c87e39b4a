import { setImmediate as nextRound, setTimeout as sleep } from "node:timers/promises";

/** Does many jobs at once; one outcome a job, in their order. An outcome that is an Error rejects its job. */
export type RunBatch<Job, Result> = (jobs: readonly Job[]) => Promise<readonly (Result | Error)[]>;

/** Runs one task after another. */
export type TakeTurn = <T>(task: () => Promise<T>) => Promise<T>;

interface Waiting<Job, Result> {
  readonly job: Job;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Far below the time that a process takes to start, and longer than callers at the same time are apart. */
const quietMs = 10;

/**
 * Collects jobs that are given at the same time, or while earlier ones run, and does them
 * together. What `run` throws rejects every job of its batch.
 */
export function createBatch<Job, Result>(
  run: RunBatch<Job, Result>,
  takeTurn: TakeTurn,
): (job: Job) => Promise<Result> {
  let waiting: Waiting<Job, Result>[] = [];
  let isRunning = false;

  const runAll = async () => {
    isRunning = true;
    while (waiting.length > 0) {
      await takeTurn(async () => {
        for (let seen = -1; seen !== waiting.length;) {
          seen = waiting.length;
          await sleep(quietMs);
          // When the timer is late, what came in the meantime is still to be heard of.
          await nextRound();
        }
        const batch = waiting;
        waiting = [];
        await settle(batch, run);
      });
    }
    isRunning = false;
  };
  return async (job) =>
    await new Promise<Result>((resolve, reject) => {
      waiting.push({ job, resolve, reject });
      if (!isRunning) void runAll();
    });
}

/** A queue of tasks. */
export function createTurns(): TakeTurn {
  let last: Promise<unknown> = Promise.resolve();
  return async (task) => {
    const mine = last.then(task);
    last = mine.catch(() => undefined);
    return await mine;
  };
}

async function settle<Job, Result>(batch: readonly Waiting<Job, Result>[], run: RunBatch<Job, Result>): Promise<void> {
  try {
    const outcomes = await run(batch.map(({ job }) => job));
    for (const [index, { resolve, reject }] of batch.entries()) {
      const outcome = outcomes[index];
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome as Result);
    }
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}
