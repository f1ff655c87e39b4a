import { join, resolve } from "node:path";
import { usageError } from "../errors.ts";
import { writeFileAtomic } from "../store/atomic-write.ts";
import { callCommand, callForJson } from "./call-command.ts";
import { checkHistory } from "./guards.ts";
import type { Job } from "./job.ts";

/** As far as it goes into outputs. */
interface ReviewJson {
  readonly verdict: "blocked" | "attention" | "fine";
  readonly findings: { readonly new: readonly unknown[] };
}

/**
 * Reviews what the change does to secrets. The report goes to the job summary and into a file for
 * the workflow that comments. Gives the exit status of `sealtree review`: 1 for a change that brings errors.
 */
export async function actReview(job: Job): Promise<number> {
  const { inputs, runner, event } = job;
  const base = inputs.base ?? event.base;
  if (base === undefined) {
    throw usageError("the event names no commit to compare with", "run it on pull_request, or give the input base");
  }
  await checkHistory("review", job.place);
  const range = `${base}..${inputs.head ?? "HEAD"}`;
  const { code, json } = await callForJson<ReviewJson>(job, ["review", range]);
  const { stdout: report } = await callCommand(job, ["review", range, "--markdown", "--exit-zero"]);
  const file =
    inputs.file === undefined ? join(job.temporary, "sealtree-review.md") : resolve(job.directory, inputs.file);
  // A link that the change put there is written over, not followed.
  writeFileAtomic(file, report, { mode: 0o644, existing: "replace" });
  runner.summarize(report);
  runner.setOutput("verdict", json.verdict);
  runner.setOutput("errors", String(json.findings.new.length));
  runner.setOutput("file", file);
  if (json.verdict !== "fine") {
    runner.annotate(
      json.verdict === "blocked" ? "error" : "warning",
      `the verdict is ${json.verdict}: see the summary`,
      {
        title: "sealtree review",
      },
    );
  }
  return code;
}
