import { exitCodes, isSealtreeError } from "../errors.ts";
import { findIssue } from "../github/issue.ts";
import type { GithubRepository } from "../github/repository.ts";
import { isProviderFailure } from "../net/provider-failure.ts";
import { rotationStatus } from "../rotation/status.ts";
import { openWorkTree } from "../store/work-tree.ts";
import type { Job } from "./job.ts";
import { keepIssue } from "./kept-issue.ts";
import {
  isForPeople,
  listManualItems,
  printManualList,
  readManualList,
  type ManualItem,
  type RunFailure,
  type RunView,
} from "./manual-list.ts";
import { openJobGithub, type JobGithub } from "./open-github.ts";
import { loadPeople, maxAssignees, type People } from "./policy-people.ts";

/** Says what a run could not do, once that is known. */
export type TellFailures = (failures: readonly RunFailure[]) => void;

/** What the issue says of a thing that is left to do; nothing of one that another run is at. */
export function toRunFailure(what: string, outcome: string, reason: string): RunFailure[] {
  if (outcome === "busy") return [];
  const words = reason === "" ? outcome : `${outcome}: ${reason}`;
  return [{ what: outcome === "target" ? `target ${what}` : what, reason: words }];
}

const marker = "<!-- sealtree: rotation -->";

/**
 * Runs `rotate`, and with the input `issue` keeps the issue with what people have to do afterwards, also
 * when it throws. A run of single scopes and a dry run leave the issue alone: they do not see all. Gives
 * the exit status of `rotate`; 0 when all that is left is for people, whom the issue tells: a run that
 * waits for somebody is none that failed. 9 in place of 0 when GitHub did not take the issue.
 */
export async function withManualIssue(job: Job, rotate: (tell: TellFailures) => Promise<number>): Promise<number> {
  const { inputs } = job;
  if (!inputs.issue || inputs["dry-run"] || inputs.scopes.length > 0) return await rotate(() => undefined);
  // Before anything is rotated, so that a job without a token is told so first.
  const early = await openOrWait(job);
  let failures: readonly RunFailure[] = [];
  let code: number;
  try {
    code = await rotate((told) => {
      failures = told;
    });
  } catch (error) {
    if (isSealtreeError(error) || isProviderFailure(error)) {
      const run = { what: "the run", reason: error.message };
      await keepWith(job, early, { failures: [...failures, run], isComplete: false });
    } else await early.github?.close();
    throw error;
  }
  const kept = await keepWith(job, early, { failures, isComplete: true });
  if (kept === undefined) return code === exitCodes.ok ? exitCodes.provider : code;
  return code === exitCodes.rotation && kept.isForPeople ? exitCodes.ok : code;
}

interface Opened {
  readonly github?: JobGithub;
  /** Why it is not open. */
  readonly failure?: string;
}

/** GitHub, or why it cannot be asked now: rotation goes first. Throws E_USAGE without a token. */
async function openOrWait(job: Job): Promise<Opened> {
  try {
    return { github: await openJobGithub(job, { issues: "write" }) };
  } catch (error) {
    if (!isProviderFailure(error)) throw error;
    return { failure: [error.message, ...error.hints].join("\n") };
  }
}

type RunEnd = Pick<RunView, "failures" | "isComplete">;

interface KeptManualIssue {
  /** True when the run failed at nothing but what no program can rotate. */
  readonly isForPeople: boolean;
}

/** Undefined when GitHub did not take it. */
async function keepWith(job: Job, early: Opened, end: RunEnd): Promise<KeptManualIssue | undefined> {
  const { github, failure } = early.github === undefined ? await openOrWait(job) : early;
  try {
    if (github !== undefined) return await keepManualIssue(job, github.repository, end);
    sayUnwritten(job, failure);
  } catch (error) {
    if (!isProviderFailure(error)) throw error;
    sayUnwritten(job, error.message);
  } finally {
    await github?.close();
  }
  return undefined;
}

function sayUnwritten({ runner }: Job, why = ""): void {
  runner.annotate("error", `the issue was not written: ${why}`, { title: "sealtree issue" });
}

async function keepManualIssue(
  job: Job,
  repository: GithubRepository,
  end: RunEnd,
): Promise<KeptManualIssue | undefined> {
  const now = job.io.now();
  const people = await loadPeople(job);
  const found = await findIssue(repository, marker);
  // What an issue said that was closed is over.
  const before = readManualList(found?.state === "open" ? (found.body ?? "") : "");
  const stillOpen = [...before].flatMap(([what, day]) => (day === undefined ? [what] : []));
  const view: RunView = { ...end, ...(await readStatus(job, now)), now };
  const items = listManualItems(view, people, stillOpen);
  const result = { isForPeople: isForPeople(view) };
  if (items.length === 0 && found?.state !== "open") return result;
  const list = printManualList(items, before, now.toISOString().slice(0, 10));
  const isKept = await keepIssue(job, repository, {
    marker,
    title: "Secrets that somebody has to rotate",
    body: list,
    assignees: listAssignees(items, people),
    farewell:
      "Everything on the list was done, and nothing new is due. The next run that finds something opens it again.",
    isOver: items.length === 0,
  });
  return isKept ? result : undefined;
}

/** A policy that cannot be read is a failure of the run, which has told of it. */
async function readStatus({ place }: Job, now: Date): Promise<Pick<RunView, "status"> & Partial<RunView>> {
  try {
    return { status: await rotationStatus(openWorkTree(place.root), now) };
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    return { status: { entries: [], unreadable: [] }, isComplete: false };
  }
}

/** The owners; the admins too where something has none. */
function listAssignees(items: readonly ManualItem[], { admins }: People): string[] {
  const owners = items.flatMap(({ login }) => login ?? []);
  const others = items.some(({ login }) => login === undefined) ? admins : [];
  return [...new Set([...owners, ...others])].slice(0, maxAssignees);
}
