import { parentPort } from "node:worker_threads";
import { isSealtreeError } from "../errors.ts";
import { sealJob, type SealJob } from "./seal-job.ts";
import type { SealAnswer } from "./seal-pool.ts";

/** The program of a worker thread of the seal pool: takes jobs, gives an answer for each. */
async function answer(job: SealJob): Promise<SealAnswer> {
  try {
    return { sealed: await sealJob(job) };
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    const { code, message, hints, file, line } = error;
    return { failure: { code, message, hints, file, line } };
  }
}

const port = parentPort;
port?.on("message", ({ id, job }: { readonly id: number; readonly job: SealJob }) => {
  void answer(job).then((said) => {
    const files = "sealed" in said ? said.sealed : [];
    port.postMessage(
      { id, ...said },
      files.map(({ bytes }) => bytes.buffer),
    );
  });
});
