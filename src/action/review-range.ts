import { printReviewMarkdown } from "../cli/review-markdown.ts";
import { toReviewPage } from "../cli/review-page.ts";
import { SealtreeError } from "../errors.ts";
import { hasGit } from "../git/place.ts";
import { compareRevisions, type Report } from "../review/report.ts";
import type { Reason, Verdict } from "../review/report-verdict.ts";
import type { Job } from "./job.ts";

/** What `sealtree review` says of two commits. */
export interface RangeReview {
  readonly verdict: Verdict;
  readonly reasons: readonly Reason[];
  /** How many findings the change brings. */
  readonly errors: number;
  /** False when the change has no commit that touches secrets or policies, and nothing to say of them. */
  readonly saysAnything: boolean;
  /** Markdown for a comment, its first line the marker. */
  readonly report: string;
}

/** Reviews two revisions of the job's repository, without a key. Throws as {@link compareRevisions}, and E_NO_REPOSITORY. */
export async function reviewRange(
  { place, io }: Pick<Job, "place" | "io">,
  { base, head }: { readonly base: string; readonly head: string },
): Promise<RangeReview> {
  if (!hasGit(place)) {
    throw new SealtreeError(
      "E_NO_REPOSITORY",
      "the tree here is not a git repository, so there is nothing to compare",
      {
        hints: ["check the repository out with actions/checkout first"],
      },
    );
  }
  const report = await compareRevisions(place, { base, head, now: io.now() });
  return {
    verdict: report.verdict,
    reasons: report.reasons,
    errors: report.findings.new.length,
    saysAnything: saysAnything(report),
    report: printReviewMarkdown(report, toReviewPage(report)),
  };
}

function saysAnything({ reasons, scopes, access, policy, rotation, files, findings, commits }: Report): boolean {
  const said: readonly (readonly unknown[])[] = [reasons, scopes, access, policy, rotation, files, commits];
  return [...said, findings.new, findings.fixed].some(({ length }) => length > 0);
}
