import { enableWorkflow, findLastRun, findWorkflow, type WorkflowRun } from "../github/workflow.ts";
import type { GithubRepository } from "../github/repository.ts";
import { isProviderFailure } from "../net/provider-failure.ts";

/** What GitHub says of a workflow that has to run on a schedule. */
export interface WorkflowState {
  readonly file: string;
  /**
   * `fine`: it succeeded in time. `late`: not in time, or never. `off`: it is disabled. `gone`: it is not
   * there. `unknown`: GitHub did not say, which is never fine.
   */
  readonly verdict: "fine" | "late" | "off" | "gone" | "unknown";
  /** Why, in words that stay the same until something changes. Empty for one that is fine. */
  readonly reason: string;
  /** When it succeeded last on the default branch, in milliseconds. */
  readonly lastMs: number | undefined;
  /** What was done about it, or could not be. */
  readonly remark: string;
}

export interface WorkflowQuestion {
  readonly file: string;
  readonly branch: string;
  readonly nowMs: number;
  readonly maxAgeMs: number;
  /** True for the workflow that asks: that it runs is seen, and its own failures must not keep it failing. */
  readonly isOwn: boolean;
}

/** What starts a run that counts: a push would also run on what is not rotated. */
const events = ["schedule", "workflow_dispatch"] as const;

/**
 * How a workflow is, and keeps its schedule alive: one that GitHub turned off for inactivity is turned on
 * again, and one that is on is told so. One that a person turned off stays off. What GitHub did not do for
 * a passing reason is tried once more. Throws nothing of GitHub.
 */
export async function askWorkflow(repository: GithubRepository, question: WorkflowQuestion): Promise<WorkflowState> {
  for (let isLast = false; ; isLast = true) {
    try {
      return await lookAt(repository, question);
    } catch (error) {
      if (!isProviderFailure(error)) throw error;
      if (isLast || error.class !== "transient")
        return stateOf(question, "unknown", `it is not known: ${error.message}`);
    }
  }
}

async function lookAt(repository: GithubRepository, question: WorkflowQuestion): Promise<WorkflowState> {
  const found = await findWorkflow(repository, question.file);
  if (found === undefined || found.state === "deleted") {
    return stateOf(question, "gone", "it is not there, or the token may not see it");
  }
  const remark = mayEnable.includes(found.state) ? await keepAlive(repository, found.id) : "";
  const last = await findLastSuccess(repository, question);
  if (found.state !== "active") return stateOf(question, "off", sayOff(found.state), last, remark);
  const reason = question.isOwn ? undefined : await findLateness(repository, question, last);
  return stateOf(question, reason === undefined ? "fine" : "late", reason ?? "", last, remark);
}

function stateOf(
  { file }: WorkflowQuestion,
  verdict: WorkflowState["verdict"],
  reason: string,
  last?: WorkflowRun,
  remark = "",
): WorkflowState {
  return { file, verdict, reason, lastMs: last?.atMs, remark };
}

/** Never `disabled_manually`: somebody meant it. Nor `disabled_fork`: the owner of a fork decides. */
const mayEnable: readonly string[] = ["active", "disabled_inactivity"];

/** A token that may not, is no reason to fail: whether it runs is looked at anyway. */
async function keepAlive(repository: GithubRepository, id: number): Promise<string> {
  try {
    await enableWorkflow(repository, id);
    return "turned on";
  } catch (error) {
    if (!isProviderFailure(error)) throw error;
    return error.class === "auth" ? "not kept alive: the job needs actions: write" : "not kept alive";
  }
}

async function findLastSuccess(
  repository: GithubRepository,
  { file, branch }: WorkflowQuestion,
): Promise<WorkflowRun | undefined> {
  let newest: WorkflowRun | undefined;
  for (const event of events) {
    const run = await findLastRun(repository, file, { event, branch, status: "success" });
    if (run !== undefined && !(run.atMs <= (newest?.atMs ?? Number.NEGATIVE_INFINITY))) newest = run;
  }
  return newest;
}

/** Why a workflow that is on is late; undefined for one that is not. */
async function findLateness(
  repository: GithubRepository,
  { file, branch, nowMs, maxAgeMs }: WorkflowQuestion,
  last: WorkflowRun | undefined,
): Promise<string | undefined> {
  // A time that cannot be read is no proof of anything.
  if (last !== undefined && nowMs - last.atMs <= maxAgeMs) return undefined;
  const newest = await findLastRun(repository, file, { branch });
  const conclusion = newest?.conclusion ?? "";
  const ended = /^[a-z_]{1,40}$/.test(conclusion) ? `; its newest run ended with ${conclusion}` : "";
  const none = newest === undefined ? "; it never ran" : "";
  return `${last === undefined ? "it never succeeded on the default branch" : "it did not succeed in time"}${ended}${none}`;
}

function sayOff(state: string): string {
  if (state === "disabled_inactivity")
    return "GitHub turned it off, because nothing happened in the repository for 60 days";
  if (state === "disabled_manually") return "somebody turned it off";
  if (state === "disabled_fork") return "it is off, because the repository is a fork";
  return /^[a-z_]{1,40}$/.test(state) ? `its state is ${state}` : "it is not on";
}
