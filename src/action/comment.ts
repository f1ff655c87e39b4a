import { markdownText } from "../cli/markdown.ts";
import { maxMarkdownChars, reviewMarker } from "../cli/review-markdown.ts";
import { exitCodes, isSealtreeError, SealtreeError } from "../errors.ts";
import { isProviderFailure } from "../net/provider-failure.ts";
import { putCheckRun, type CheckRun } from "../github/check-run.ts";
import { findComment, putComment } from "../github/comment.ts";
import { listPullRequests, listPullRequestsFrom, type ListedPullRequest } from "../github/pull-request.ts";
import type { GithubRepository } from "../github/repository.ts";
import type { GithubPermissions } from "../services/github-app.ts";
import type { JobChange } from "./event.ts";
import { fetchChange } from "./fetch-change.ts";
import { checkHistory } from "./guards.ts";
import type { Job } from "./job.ts";
import { openJobGithub, type JobGithub } from "./open-github.ts";
import { reviewRange, type RangeReview } from "./review-range.ts";

/** What it needs, in the words of GitHub's API. */
const commentPermissions: GithubPermissions = { checks: "write", contents: "read", pull_requests: "write" };

const checkName = "sealtree review";
const shownReasons = 20;
const conclusions = { fine: "success", attention: "neutral", blocked: "failure" } as const;
const titles = { fine: "Fine", attention: "Needs attention", blocked: "Blocked" } as const;

/** The review of a change, or why there is none. */
type Outcome =
  | { readonly kind: "reviewed"; readonly review: RangeReview }
  | { readonly kind: "failed"; readonly error: unknown };

/**
 * Reviews the pull request of the event, or of the run before, from its git objects alone, and puts
 * the report there as one comment, and the verdict as a check run. What the run before left behind
 * is not looked at: its author wrote it. Gives 0 also for a change that brings errors, since the
 * check run says so.
 */
export async function actComment(job: Job): Promise<number> {
  const change = checkEvent(job);
  if (change === undefined) return sayNothing(job, "the run before was not that of a pull request");
  await checkHistory("comment", job.place);
  const github = await openJobGithub(job, commentPermissions);
  try {
    const open = await listOpen(github.repository, change);
    const current = open.filter(({ head }) => head.sha === change.commit);
    if (open.length === 0) return sayNothing(job, "no pull request of this branch is open");
    if (current.length === 0) return sayNothing(job, outdated);
    const outcomes: Outcome[] = [];
    // One pull request, but where the branch is to go into several others.
    for (const pull of current) outcomes.push(...(await commentOn(job, github, change, pull)));
    return conclude(job, outcomes);
  } finally {
    await github.close();
  }
}

const outdated = "the pull request has another commit by now, whose own run comments";

/** The change to look at. Throws E_ACTION_REFUSED for an event on which this must not run. */
function checkEvent({ event: { name, foreign, change, defaultBranch } }: Job): JobChange | undefined {
  if (name === "workflow_run") {
    if (defaultBranch !== undefined) return change;
    throw refused("the event's payload does not say which branch is the default one");
  }
  if (name !== "pull_request") throw refused("comment runs on workflow_run and pull_request only, and this is another");
  // Its token writes nothing, and its workflow file is the author's.
  if (foreign !== undefined) throw refused(`comment is refused here: ${foreign}`);
  return change;
}

async function listOpen(repository: GithubRepository, change: JobChange): Promise<ListedPullRequest[]> {
  const from = change.repository;
  if (from !== undefined) {
    const [owner = ""] = from.split("/");
    const all = await listPullRequestsFrom(repository, { owner, branch: change.branch });
    // An owner may have several forks, and GitHub takes a name that is none for no filter.
    const found = all.filter(
      ({ head }) => head.ref === change.branch && head.repository?.toLowerCase() === from.toLowerCase(),
    );
    if (found.length > 0) return found;
  }
  // What was a fork is gone, and its pull request stays, with its commits: only these still say which it is.
  const all = await listPullRequests(repository);
  return all.filter(({ head }) => head.sha === change.commit && (from === undefined || head.repository === undefined));
}

async function commentOn(job: Job, github: JobGithub, change: JobChange, pull: ListedPullRequest): Promise<Outcome[]> {
  const { repository } = github;
  const outcome = await review(job, github, change, pull);
  // The review takes a while, and an older one must not stand in place of a newer one.
  const isStill = (await listOpen(repository, change)).some(
    ({ number, head }) => number === pull.number && head.sha === change.commit,
  );
  if (outcome === undefined || !isStill) {
    sayNothing(job, outdated);
    return [];
  }
  await putCheckRun(repository, { name: nameFor(job, pull), head: change.commit, ...checkOf(outcome) });
  const { report, isQuiet } = reportOf(outcome);
  const kept = { number: pull.number, marker: reviewMarker, body: report };
  if (!isQuiet || (await findComment(repository, kept)) !== undefined) {
    const done = await putComment(repository, kept);
    job.runner.print(`comment on #${pull.number}: ${done}\n`);
  }
  job.runner.summarize(report);
  return [outcome];
}

/** Outputs of the worst; throws what kept one from being made. */
function conclude({ runner }: Job, outcomes: readonly Outcome[]): number {
  const failed = outcomes.find((it) => it.kind === "failed");
  if (failed !== undefined) throw failed.error;
  const reviews = outcomes.flatMap((it) => (it.kind === "reviewed" ? it.review : []));
  const worst = (["blocked", "attention", "fine"] as const).find((it) => reviews.some(({ verdict }) => verdict === it));
  if (worst !== undefined) runner.setOutput("verdict", worst);
  runner.setOutput("errors", String(reviews.reduce((sum, { errors }) => sum + errors, 0)));
  return exitCodes.ok;
}

/**
 * A commit has its check run for every branch that it may go into: what is fine for one may be
 * blocked for another, and an author may move a pull request from one to the other.
 */
function nameFor({ event }: Job, { base }: ListedPullRequest): string {
  return base.ref === event.defaultBranch ? checkName : `${checkName} (${base.ref})`;
}

/** Undefined when the pull request has another commit by now. Throws ProviderFailure only. */
async function review(
  job: Job,
  { repository, token }: JobGithub,
  change: JobChange,
  pull: ListedPullRequest,
): Promise<Outcome | undefined> {
  try {
    const fetched = await fetchChange(job, { repository, token, number: pull.number, base: pull.base.ref });
    if (fetched.head !== change.commit) return undefined;
    return { kind: "reviewed", review: await reviewRange(job, fetched) };
  } catch (error) {
    if (isProviderFailure(error)) throw error;
    return { kind: "failed", error };
  }
}

function checkOf(outcome: Outcome): Pick<CheckRun, "conclusion" | "title" | "summary"> {
  if (outcome.kind === "failed") {
    return { conclusion: "failure", title: "The review could not be made", summary: sayFailure(outcome.error) };
  }
  const { verdict, reasons, saysAnything } = outcome.review;
  const listed = reasons.slice(0, shownReasons).map(({ text }) => `- ${markdownText(text)}`);
  const more = reasons.length > shownReasons ? [`- and ${reasons.length - shownReasons} more`] : [];
  const where = saysAnything
    ? "The whole report is in the comment on the pull request."
    : "The change does nothing to secrets and policies.";
  return {
    conclusion: conclusions[verdict],
    title: titles[verdict],
    summary: [...listed, ...more, "", where].join("\n").trim(),
  };
}

/** The comment without its marker. A quiet one is not worth a comment of its own. */
function reportOf(outcome: Outcome): { readonly report: string; readonly isQuiet: boolean } {
  if (outcome.kind === "failed") {
    const report = `## ⛔ Secrets review: it could not be made\n\n${sayFailure(outcome.error)}\n`;
    return { report, isQuiet: false };
  }
  const { report, saysAnything } = outcome.review;
  return { report: report.slice(reviewMarker.length + 1), isQuiet: !saysAnything };
}

/** Without our own words nobody knows that nothing was looked at. What a bug says may be anything, so it says nothing. */
function sayFailure(error: unknown): string {
  const { code, message, hints } = isSealtreeError(error) ? error : bug;
  const lines = [`${markdownText(`${code}: ${message}`)}.`, "", ...hints.map((hint) => `- ${markdownText(hint)}`)];
  const text = [...lines, "", "Nothing of the change was judged, so take it for one that brings errors."].join("\n");
  return text.slice(0, maxMarkdownChars / 2);
}

const bug = { code: "bug", message: "this is a mistake in sealtree itself", hints: ["the run's log says where"] };

function sayNothing({ runner }: Job, why: string): number {
  runner.annotate("notice", why, { title: "sealtree comment" });
  return exitCodes.ok;
}

function refused(message: string): SealtreeError {
  return new SealtreeError("E_ACTION_REFUSED", message, {
    hints: ["docs/action.md has the two workflows: one for pull requests, one on workflow_run that comments"],
  });
}
