import { markdownForeign } from "../cli/markdown.ts";
import { hasCode, SealtreeError } from "../errors.ts";
import type { GithubPermissions } from "../services/github-app.ts";
import { callForJson } from "./call-command.ts";
import { checkSigned, findRotator } from "./check-rotator.ts";
import { checkHistory } from "./guards.ts";
import type { ActionInputs } from "./inputs.ts";
import type { Job } from "./job.ts";
import { toRunFailure, withManualIssue, type TellFailures } from "./manual-issue.ts";
import { throwWithRemoteHints } from "./remote-hints.ts";
import { byHand, listDone, listFailed, listHints, listOther, type RotateJson } from "./rotate-json.ts";
import { summaryTable } from "./summary-table.ts";
import { openWritingJob } from "./writing-job.ts";

/** Where rotations are recorded for a pull request, unless the input `branch` says otherwise. */
const defaultBranch = "sealtree/rotation";

/**
 * Rotates what is due, or what the input `scopes` names. What is committed is signed and pushed; without a
 * remote there is only a dry run. Who may rotate nothing, and what git would not sign though the policy wants it, is
 * refused before anything is rotated. Gives the exit status of `sealtree rotate`.
 */
export async function actRotate(job: Job): Promise<number> {
  return await withManualIssue(job, async (tell) => await rotateDue(job, tell));
}

async function rotateDue(job: Job, tell: TellFailures): Promise<number> {
  const { inputs } = job;
  await checkHistory("rotate", job.place);
  const rotator = await findRotator(job);
  const writing = await openWritingJob(job, permissionsFor(inputs));
  try {
    await checkSigned(writing.job, rotator).catch((error: unknown) => {
      if (!inputs["dry-run"] || !hasCode(error, "E_ACTION_REFUSED")) throw error;
      job.runner.annotate("warning", [error.message, ...error.hints].join("\n"), { title: "sealtree rotate" });
    });
    const branch = branchOf(inputs);
    if (!writing.hasRemote && !inputs["dry-run"]) throw noRemote();
    // A job without a token is told so before anything is rotated.
    if (inputs["pull-request"]) await writing.github();
    const { code, json } = await callForJson<RotateJson>(writing.job, [
      "rotate",
      ...(inputs.scopes.length === 0 ? ["--due"] : inputs.scopes),
      "--yes",
      ...(inputs["dry-run"] ? ["--dry-run"] : []),
      ...(inputs.limit === undefined ? [] : ["--limit", inputs.limit]),
      ...(branch === undefined ? [] : ["--branch", branch]),
      ...(branch === undefined && writing.hasRemote ? ["--push"] : []),
      ...(inputs.emergency ? ["--emergency"] : []),
      ...(inputs["keep-grace"] ? ["--keep-grace"] : []),
      ...(inputs.reason === undefined ? [] : [`--reason=${inputs.reason}`]),
      ...(inputs["pull-request"] ? ["--markdown"] : []),
    ]).catch(throwWithRemoteHints);
    report(job, json);
    tell(listFailed(json).flatMap(([what = "", outcome = "", reason = ""]) => toRunFailure(what, outcome, reason)));
    if (inputs["pull-request"] && branch !== undefined && !inputs["dry-run"] && json.unmerged !== null) {
      const { proposeRotation } = await import("./rotation-pull-request.ts");
      await proposeRotation(job, await writing.github(), { json, branch });
    }
    return code;
  } finally {
    await writing.close();
  }
}

/** What is committed in a job's clone alone is gone with the job, and programs may have the new value by then. */
function noRemote(): SealtreeError {
  return new SealtreeError("E_NO_REMOTE", "the clone has no remote, so a new value would be lost with the job", {
    hints: [
      "let actions/checkout make the clone, on a branch, or: git remote add origin ADDRESS",
      "dry-run: true says what would be rotated",
    ],
  });
}

const seeRules = "sealtree rotation status shows which; give them rules in policies/rotation.yaml";

function branchOf(inputs: ActionInputs): string | undefined {
  return inputs.branch ?? (inputs["pull-request"] ? defaultBranch : undefined);
}

function permissionsFor(inputs: ActionInputs): GithubPermissions {
  return { contents: "write", ...(inputs["pull-request"] ? { pull_requests: "write" } : {}) };
}

function report({ inputs, runner }: Job, json: RotateJson): void {
  const isDryRun = inputs["dry-run"];
  const [done, failed] = [listDone(json, isDryRun), listFailed(json)];
  runner.setOutput("count", String(done.length));
  runner.setOutput("failed", String(failed.length));
  runner.setOutput("names", done.join(","));
  for (const words of failed) {
    // With an issue, what waits for somebody does not fail the step.
    const level = inputs.issue && words[1] === byHand ? "warning" : "error";
    const what = words.filter((word) => word !== "").join(": ");
    runner.annotate(level, [what, ...listHints(json, words[0])].join("\n"), { title: "sealtree rotate" });
  }
  const without = inputs.scopes.length === 0 ? json.without_rule : 0;
  if (without > 0) {
    runner.annotate("notice", `secrets without a rule, which nothing rotates: ${without}\n${seeRules}`, {
      title: "sealtree rotate",
    });
  }
  const verb = isDryRun ? "Would be rotated" : "Rotated";
  runner.summarize(
    [
      inputs.emergency ? "### sealtree rotate, an emergency" : "### sealtree rotate",
      ...(inputs.reason === undefined ? [] : ["", `Reason: ${markdownForeign(inputs.reason)}`]),
      "",
      `${verb}: ${done.length}, left to do: ${failed.length}, postponed: ${json.postponed.length}${without === 0 ? "" : `, without a rule: ${without}`}.`,
      ...summaryTable(
        ["secret", "outcome", "reason"],
        [
          ...done.map((address) => [address, isDryRun ? "would be rotated" : "rotated", ""]),
          ...listOther(json, isDryRun),
          ...failed,
        ],
      ),
    ].join("\n"),
  );
}
