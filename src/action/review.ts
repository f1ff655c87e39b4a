import { join, resolve } from "node:path";
import { exitCodes, usageError } from "../errors.ts";
import { writeFileAtomic } from "../store/atomic-write.ts";
import { checkHistory } from "./guards.ts";
import type { Job } from "./job.ts";
import { reviewRange } from "./review-range.ts";

/**
 * Reviews what the change does to secrets. The report goes to the job summary and into a file.
 * Gives the exit status of `sealtree review`: 1 for a change that brings errors.
 */
export async function actReview(job: Job): Promise<number> {
  const { inputs, runner, event } = job;
  const base = inputs.base ?? event.base;
  if (base === undefined) {
    throw usageError("the event names no commit to compare with", "run it on pull_request, or give the input base");
  }
  await checkHistory("review", job.place);
  const { verdict, errors, report } = await reviewRange(job, { base, head: inputs.head ?? "HEAD" });
  const file =
    inputs.file === undefined ? join(job.temporary, "sealtree-review.md") : resolve(job.directory, inputs.file);
  // A link that the change put there is written over, not followed.
  writeFileAtomic(file, report, { mode: 0o644, existing: "replace" });
  runner.summarize(report);
  runner.setOutput("verdict", verdict);
  runner.setOutput("errors", String(errors));
  runner.setOutput("file", file);
  if (verdict !== "fine") {
    runner.annotate(verdict === "blocked" ? "error" : "warning", `the verdict is ${verdict}: see the summary`, {
      title: "sealtree review",
    });
  }
  return verdict === "blocked" ? exitCodes.found : exitCodes.ok;
}
