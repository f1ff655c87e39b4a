import { markdownCode, markdownText } from "../cli/markdown.ts";
import { printMinute } from "../cli/rotation-words.ts";
import { exitCodes, isSealtreeError, SealtreeError, usageError } from "../errors.ts";
import { isProviderFailure } from "../net/provider-failure.ts";
import { durationMs } from "../rotation/duration.ts";
import { keepIssue } from "./kept-issue.ts";
import type { Job } from "./job.ts";
import { openJobGithub, type JobGithub } from "./open-github.ts";
import { loadPeople } from "./policy-people.ts";
import { summaryTable } from "./summary-table.ts";
import { findTreeEvidence, type Evidence, type TreeEvidence } from "./tree-evidence.ts";
import { askWorkflow, type WorkflowState } from "./workflow-state.ts";

const marker = "<!-- sealtree: heartbeat -->";
/** Of each kind, so that the report fits where it goes. */
const maxRows = 50;

/**
 * Says whether the rotation of secrets still happens: by GitHub's memory of the workflows in the input
 * `workflows`, and by the tree alone. Gives 8 when something shows that it does not, and 9 when GitHub
 * cannot be asked and the tree shows nothing: what is not known is never fine.
 */
export async function actHeartbeat(job: Job): Promise<number> {
  const { runner, inputs } = job;
  const branch = requireDefaultBranch(job);
  const maxAgeMs = durationMs(inputs["max-age"]);
  const evidence = await findTreeEvidence(job, maxAgeMs);
  for (const it of evidence.late.slice(0, maxRows)) {
    runner.annotate("error", `${it.what}: ${it.reason}; ${it.next}`, { title: "sealtree heartbeat" });
  }
  const { github, failure } = await tryGithub(job);
  try {
    const states: WorkflowState[] = [];
    const nowMs = job.io.now().getTime();
    for (const file of inputs.workflows) {
      const isOwn =
        (job.io.env["GITHUB_WORKFLOW_REF"] ?? "").split("@")[0]?.endsWith(`/.github/workflows/${file}`) === true;
      const question = { file, branch, nowMs, maxAgeMs, isOwn };
      states.push(
        github === undefined
          ? { file, verdict: "unknown", reason: `it is not known: ${failure ?? ""}`, lastMs: undefined, remark: "" }
          : await askWorkflow(github.repository, question),
      );
    }
    for (const { file, verdict, reason } of states) {
      if (verdict !== "fine") runner.annotate("error", `${file}: ${reason}`, { title: "sealtree heartbeat" });
    }
    const bad = states.filter(({ verdict }) => verdict !== "fine" && verdict !== "unknown");
    const isKnown = states.every(({ verdict }) => verdict !== "unknown");
    runner.setOutput("count", String(states.length));
    runner.setOutput(
      "failed",
      String(states.filter(({ verdict }) => verdict !== "fine").length + evidence.late.length),
    );
    runner.summarize(["### sealtree heartbeat", "", ...printState(states, evidence)].join("\n"));
    const isLate = bad.length + evidence.late.length > 0;
    const isKept = await keepHeartbeatIssue(job, github, { bad, evidence, isKnown });
    if (isLate) return exitCodes.rotation;
    return isKnown && isKept ? exitCodes.ok : exitCodes.provider;
  } finally {
    await github?.close();
  }
}

/** The name of the branch, which has to be the default one: what another says of rotation is no evidence. */
function requireDefaultBranch({ io, event }: Job): string {
  if (event.foreign !== undefined) {
    throw new SealtreeError(
      "E_ACTION_REFUSED",
      `heartbeat keeps workflows alive, and is refused here: ${event.foreign}`,
      {
        hints: ["run it on schedule, push and workflow_dispatch"],
      },
    );
  }
  const branch = /^refs\/heads\/(.+)$/.exec(io.env["GITHUB_REF"] ?? "")?.[1];
  // A schedule runs on no other branch, and its payload does not say which that is.
  const isDefault = event.name === "schedule" || (event.defaultBranch !== undefined && branch === event.defaultBranch);
  if (branch !== undefined && isDefault) return branch;
  throw usageError(
    "heartbeat looks at the default branch, and this job is not known to run on it",
    "on: { push: { branches: [main] } }",
  );
}

/** Without GitHub the tree is still looked at, so what goes wrong here is told, and not thrown. */
async function tryGithub(job: Job): Promise<{ github?: JobGithub; failure?: string }> {
  try {
    const issues = job.inputs.issue ? { issues: "write" as const } : {};
    return { github: await openJobGithub(job, { actions: "write", ...issues }) };
  } catch (error) {
    if (!isProviderFailure(error) && !isSealtreeError(error)) throw error;
    for (const hint of error.hints) job.runner.annotate("notice", hint, { title: "sealtree heartbeat" });
    return { failure: error.message };
  }
}

interface Finding {
  readonly bad: readonly WorkflowState[];
  readonly evidence: TreeEvidence;
  readonly isKnown: boolean;
}

/** Opens, changes or closes the issue. False when GitHub did not do it. Closes nothing while something is unknown. */
async function keepHeartbeatIssue(job: Job, github: JobGithub | undefined, finding: Finding): Promise<boolean> {
  const { bad, evidence, isKnown } = finding;
  if (!job.inputs.issue || github === undefined) return !job.inputs.issue;
  const isLate = bad.length + evidence.late.length > 0;
  if (!isLate && !isKnown) return true;
  const { admins } = isLate ? await loadPeople(job) : { admins: [] };
  return await keepIssue(job, github.repository, {
    marker,
    title: "Rotation of secrets has stopped",
    body: isLate ? printIssue(bad, evidence) : undefined,
    assignees: admins,
    farewell: "The workflows succeeded in time again, and nothing that they rotate is overdue.",
  });
}

function printIssue(bad: readonly WorkflowState[], { late }: TreeEvidence): string {
  const more = late.length > maxRows ? [`- and ${late.length - maxRows} more: \`sealtree rotation status\``] : [];
  return [
    "The heartbeat found signs that secrets are not rotated any more. It closes this issue when they are gone.",
    "docs/rotation-stopped.md of sealtree says what to do.",
    ...(bad.length === 0 ? [] : ["", "### Workflows", ""]),
    ...bad.map(
      ({ file, reason, lastMs }) => `- ${markdownCode(file)}: ${markdownText(`${reason}; ${sayLast(lastMs)}`)}`,
    ),
    ...(late.length === 0 ? [] : ["", "### In the tree", ""]),
    ...late.slice(0, maxRows).map(printEvidence),
    ...more,
  ].join("\n");
}

function printEvidence({ what, sinceMs, reason, next }: Evidence): string {
  const since = sinceMs === undefined ? "" : `, since ${printMinute(sinceMs)} UTC`;
  return `- ${markdownCode(what)}: ${markdownText(reason + since)}; ${markdownCode(next)}`;
}

function printState(states: readonly WorkflowState[], { late, byHand }: TreeEvidence): string[] {
  const row = ({ what, sinceMs, reason, next }: Evidence) => [
    what,
    reason,
    sinceMs === undefined ? "" : printMinute(sinceMs),
    next,
  ];
  return [
    `Late, off or not known: ${states.filter(({ verdict }) => verdict !== "fine").length} of ${states.length} workflows. In the tree: ${late.length} overdue or stuck, ${byHand.length} overdue that people rotate.`,
    ...summaryTable(
      ["workflow", "verdict", "last success", "reason", "remark"],
      states.map(({ file, verdict, lastMs, reason, remark }) => [file, verdict, sayLast(lastMs), reason, remark]),
    ),
    ...summaryTable(["secret", "reason", "since (UTC)", "next"], [...late, ...byHand].slice(0, maxRows).map(row)),
  ];
}

function sayLast(lastMs: number | undefined): string {
  return lastMs === undefined || !Number.isFinite(lastMs)
    ? "no success known"
    : `succeeded last ${printMinute(lastMs)} UTC`;
}
