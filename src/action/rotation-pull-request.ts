import { markdownCode, markdownForeign } from "../cli/markdown.ts";
import { SealtreeError } from "../errors.ts";
import { findPullRequest, putPullRequest } from "../github/pull-request.ts";
import type { GithubRepository } from "../github/repository.ts";
import { isProviderFailure } from "../net/provider-failure.ts";
import { parseAddress } from "../secret/address.ts";
import { openWorkTree } from "../store/work-tree.ts";
import type { Job } from "./job.ts";
import { listDone, type RotateJson } from "./rotate-json.ts";
import { listRotationReviewers } from "./rotation-reviewers.ts";

/** A run of `sealtree rotate --branch` that left something to merge. */
export interface ProposedRotation {
  readonly json: RotateJson;
  readonly branch: string;
}

type Unmerged = NonNullable<RotateJson["unmerged"]>;

const marker = "<!-- sealtree rotation -->";
/** GitHub takes 65536 characters. */
const maxBodyChars = 60_000;
/** More names than these are counted. */
const maxListed = 200;

/**
 * Opens the pull request of a branch of rotations, or brings it up to date, and sets the output
 * `pull-request`. Reviewers are asked when it is opened and when a run added to it, not every day.
 * Throws E_PROVIDER with the next step when GitHub does not let the job do that; the branch is pushed.
 */
export async function proposeRotation(
  { inputs, runner, place }: Pick<Job, "inputs" | "runner" | "place">,
  repository: GithubRepository,
  { json, branch }: ProposedRotation,
): Promise<void> {
  const { unmerged, trunk } = json;
  if (unmerged === null || trunk === null) return;
  try {
    const isOpen = (await findPullRequest(repository, branch)) !== undefined;
    const isNew = !isOpen || addsSomething(json);
    const addresses = [...unmerged.values, ...unmerged.steps].map((text) => parseAddress(text));
    const author = isNew ? await repository.login() : "";
    const { number, outcome, remarks } = await putPullRequest(repository, {
      head: branch,
      base: trunk,
      title: titleOf(unmerged),
      body: bodyOf(json, unmerged, inputs.reason),
      labels: inputs.labels,
      reviewers: isNew ? await listRotationReviewers(openWorkTree(place.root), addresses, author) : [],
    });
    runner.setOutput("pull-request", String(number));
    for (const remark of remarks) runner.annotate("warning", remark, { title: "sealtree rotate" });
    runner.summarize(`\nThe pull request #${number} is ${outcome === "created" ? "opened" : "up to date"}.`);
  } catch (error) {
    if (!isProviderFailure(error)) throw error;
    throw error.class === "auth" ? notAllowed(branch, error) : failed(branch, error.message, error);
  }
}

/** True when this run put something on the branch. */
function addsSomething(json: RotateJson): boolean {
  const steps = ["ended", "suspended", "abandoned"];
  return listDone(json, false).length > 0 || json.at_providers.some(({ outcome }) => steps.includes(outcome));
}

function titleOf({ values, steps }: Unmerged): string {
  const [first, second] = values;
  if (first === undefined) {
    return steps.length === 0 ? "secrets: bring the rotation branch in" : `secrets: end ${counted(steps, "rotation")}`;
  }
  return `secrets: rotate ${second === undefined ? first : counted(values, "secret")}`;
}

function bodyOf(
  { markdown = "" }: RotateJson,
  { values, graces, steps }: Unmerged,
  reason: string | undefined,
): string {
  const text = [
    marker,
    "Made by sealtree, and kept up to date by its job: what is changed here by hand is written over.",
    "Merge it with a merge commit, which keeps the signatures. Programs have the new values after that.",
    ...(reason === undefined ? [] : ["", `Reason: ${markdownForeign(reason)}`]),
    ...section("New values", values),
    ...section("After the merge the old credential lives on for its grace, and a later run ends it", graces),
    ...section("No new value; records where the rotation is", steps),
  ].join("\n");
  const report = `\n\n<details><summary>The last run</summary>\n\n${markdown}\n\n</details>\n`;
  const fits = text.length + report.length <= maxBodyChars;
  return `${text}${fits ? report : "\n\nThe report of the last run is in the summary of its job.\n"}`;
}

function section(title: string, addresses: readonly string[]): string[] {
  if (addresses.length === 0) return [];
  const more = addresses.length - maxListed;
  return [
    "",
    `### ${title}`,
    "",
    ...addresses.slice(0, maxListed).map((address) => `- ${markdownCode(address)}`),
    ...(more > 0 ? [`- and ${more} more`] : []),
  ];
}

function counted(names: readonly string[], noun: string): string {
  return `${names.length} ${noun}${names.length === 1 ? "" : "s"}`;
}

function notAllowed(branch: string, cause: unknown): SealtreeError {
  return failed(branch, "GitHub does not let this job open a pull request", cause, [
    "permissions of the job: { contents: write, pull-requests: write }",
    "with GITHUB_TOKEN: Settings > Actions > General > Allow GitHub Actions to create and approve pull requests",
    "or give the job a GitHub App: SEALTREE_APP_ID and SEALTREE_APP_PRIVATE_KEY",
  ]);
}

function failed(branch: string, why: string, cause: unknown, hints: readonly string[] = []): SealtreeError {
  return new SealtreeError("E_PROVIDER", `${why}; what was rotated is pushed to ${branch}`, {
    hints: [...hints, "run the job again: it goes on with the pull request"],
    cause,
  });
}
