import { Worker } from "node:worker_threads";
import { type ErrorCode, SealtreeError } from "../errors.ts";
import type { SealedFile, SealJob } from "./seal-job.ts";

/** Worker threads that do jobs. Close it when done. */
export interface SealPool {
  /** Does a job when a worker is free. Throws what sealJob throws, and when a worker is gone. */
  seal(job: SealJob): Promise<readonly SealedFile[]>;
  close(): Promise<void>;
}

/** What a worker says to a job. */
export type SealAnswer =
  | { readonly sealed: readonly SealedFile[] }
  | {
      readonly failure: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly hints: readonly string[];
        readonly file: string | undefined;
        readonly line: number | undefined;
      };
    };

/** The worker's program: beside this module in the bundle. Run from source, this is the bundle that the test run built. */
const program = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/chunks/seal-worker.js" : "./seal-worker.js",
  import.meta.url,
);

interface Waiting {
  readonly resolve: (sealed: readonly SealedFile[]) => void;
  readonly reject: (error: unknown) => void;
}

interface Queued extends Waiting {
  readonly job: SealJob;
}

/** How many jobs a worker has at a time, so that it need not wait for the next. */
const ahead = 2;
/** Node 24 would let it grow to 128 MB, and a job needs a few. */
const maxYoungGenerationSizeMb = 8;

/**
 * Starts `size` workers, which takes some 30 ms. They get neither the environment nor the flags
 * of this process, so that no identity reaches them. The keys in a job are copied into the
 * worker's memory and are not wiped there; nothing of it goes to disk.
 */
export function startSealPool(size: number): SealPool {
  const queue: Queued[] = [];
  const workers = Array.from({ length: size }, () => startWorker(queue));
  return {
    seal: (job) =>
      new Promise((resolve, reject) => {
        queue.push({ job, resolve, reject });
        for (const worker of workers) worker.takeJobs();
      }),
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
    },
  };
}

function startWorker(queue: Queued[]) {
  const worker = new Worker(program, { env: {}, execArgv: [], argv: [], resourceLimits: { maxYoungGenerationSizeMb } });
  const given = new Map<number, Waiting>();
  let last = 0;
  let failure: unknown;
  const takeJobs = () => {
    while (given.size < ahead || failure !== undefined) {
      const next = queue.shift();
      if (next === undefined) return;
      if (failure !== undefined) {
        next.reject(failure);
        continue;
      }
      const { job, resolve, reject } = next;
      given.set((last += 1), { resolve, reject });
      worker.postMessage({ id: last, job: withOwnBytes(job) });
    }
  };
  const fail = (error: unknown) => {
    failure ??= error;
    for (const { reject } of given.values()) reject(failure);
    given.clear();
    takeJobs();
  };
  worker.on("message", ({ id, ...answer }: SealAnswer & { readonly id: number }) => {
    const waiting = given.get(id);
    given.delete(id);
    if ("sealed" in answer) waiting?.resolve(answer.sealed);
    else waiting?.reject(toError(answer.failure));
    takeJobs();
  });
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("a worker thread ended early")));
  return {
    takeJobs,
    stop: async () => {
      worker.removeAllListeners("exit");
      await worker.terminate();
    },
  };
}

/**
 * The job with copies of its bytes. A message takes along the whole buffer that a view is of,
 * and small buffers of Node share one, in which anything of this thread may lie.
 */
function withOwnBytes(job: SealJob): SealJob {
  const copy = (bytes: Uint8Array) => new Uint8Array(bytes);
  return {
    ...job,
    generations: job.generations.map(({ file, payload }) => ({ file, payload: copy(payload) })),
    target: job.target === undefined ? undefined : copy(job.target),
    records: job.records.map((record) => ({ ...record, source: copy(record.source), random: copy(record.random) })),
  };
}

function toError({ code, message, hints, file, line }: Extract<SealAnswer, { failure: unknown }>["failure"]) {
  return new SealtreeError(code, message, {
    hints,
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  });
}
