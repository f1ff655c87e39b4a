import { closeIssue, putIssue } from "../github/issue.ts";
import type { GithubRepository } from "../github/repository.ts";
import { isProviderFailure } from "../net/provider-failure.ts";
import type { Job } from "./job.ts";

/** An issue that is open while there is something to say. */
export interface WantedIssue {
  /** An HTML comment, which the issue is found by. */
  readonly marker: string;
  readonly title: string;
  /** Markdown; undefined when there is nothing to say any more. */
  readonly body: string | undefined;
  /** Logins of members. */
  readonly assignees: readonly string[];
  /** What is said when it is closed. */
  readonly farewell: string;
  /** True when `body` is the last word: it is written where the issue is open, which is closed then. */
  readonly isOver?: boolean;
}

/**
 * Opens the issue, brings it up to date, or closes it, and sets the output `issue`. False when GitHub did
 * not do it, with an annotation: what a step found is told also when the issue is not.
 */
export async function keepIssue(
  { runner }: Pick<Job, "runner">,
  repository: GithubRepository,
  wanted: WantedIssue,
): Promise<boolean> {
  const { marker, title, body, assignees, farewell, isOver = body === undefined } = wanted;
  try {
    if (body === undefined) return await close();
    const issue = { marker, title, body, labels: [], assignees };
    const { number } = await putIssue(repository, issue).catch(async (error: unknown) => {
      // A login that is gone must not keep the alarm from being raised.
      if (!isProviderFailure(error) || error.class !== "rejected" || assignees.length === 0) throw error;
      return await putIssue(repository, { ...issue, assignees: [] });
    });
    if (isOver) return await close();
    runner.setOutput("issue", String(number));
    return true;
  } catch (error) {
    if (!isProviderFailure(error)) throw error;
    runner.annotate("error", [`the issue was not written: ${error.message}`, ...error.hints, permission].join("\n"), {
      title: "sealtree issue",
    });
    return false;
  }

  async function close(): Promise<true> {
    await closeIssue(repository, { marker, comment: farewell });
    return true;
  }
}

const permission = "the job needs: permissions: { issues: write }";
