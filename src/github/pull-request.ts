import { z } from "zod";
import type { HttpAnswer } from "../net/http-client.ts";
import { readAnswer } from "../services/service-answer.ts";
import { isSameText } from "./comment.ts";
import type { GithubRepository } from "./repository.ts";

/** An open pull request, as GitHub lists it. */
export interface ListedPullRequest {
  readonly number: number;
  readonly head: PullRequestSide;
  readonly base: PullRequestSide;
}

export interface PullRequestSide {
  /** Name of the branch, which of a fork is anybody's text. */
  readonly ref: string;
  /** The commit. */
  readonly sha: string;
  /** `owner/name`; undefined for a fork that is no longer there. */
  readonly repository: string | undefined;
}

/** A pull request between branches of the repository itself. */
export interface WantedPullRequest {
  /** Names of branches. */
  readonly head: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  /** Logins, and teams as `team:slug` or `@org/slug`. */
  readonly reviewers: readonly string[];
}

const sideSchema = z.object({
  ref: z.string(),
  sha: z.string(),
  repo: z.object({ full_name: z.string() }).nullish(),
});
const pullSchema = z.object({
  number: z.int(),
  state: z.string(),
  title: z.string(),
  body: z.string().nullable(),
  head: sideSchema,
  base: sideSchema,
});
type Pull = z.infer<typeof pullSchema>;
const numbered = z.object({ number: z.int() });

/** All open pull requests. */
export async function listPullRequests(repository: GithubRepository): Promise<ListedPullRequest[]> {
  return await listPulls(repository, ["pulls"], { state: "open" });
}

/**
 * The open pull requests from a branch of an owner's repository, which may be a fork: by its commit
 * GitHub finds none of a fork.
 */
export async function listPullRequestsFrom(
  repository: GithubRepository,
  { owner, branch }: { readonly owner: string; readonly branch: string },
): Promise<ListedPullRequest[]> {
  return await listPulls(repository, ["pulls"], { state: "open", head: `${owner}:${branch}` });
}

/**
 * Opens a pull request, or brings the open one from the same branch up to date: title, body, base.
 * Labels and reviewers are added, never taken away; what GitHub refuses of them is a remark.
 * Throws ProviderFailure for all else.
 */
export async function putPullRequest(
  repository: GithubRepository,
  wanted: WantedPullRequest,
): Promise<{ number: number; outcome: "created" | "updated"; remarks: readonly string[] }> {
  const { head, base, title, body, labels, reviewers } = wanted;
  const open = await findOpen(repository, head);
  const number = open?.number ?? (await create());
  if (open !== undefined && !isAsWanted(open, wanted)) {
    const path = ["pulls", String(number)];
    const answer = await repository.send({
      method: "PATCH",
      path,
      body: { json: { title, body, base } },
      expect: [200],
    });
    readAnswer(numbered, answer);
  }
  const remarks = [...(await addLabels(repository, number, labels)), ...(await ask(repository, number, reviewers))];
  return { number, outcome: open === undefined ? "created" : "updated", remarks };

  async function create(): Promise<number> {
    const json = { title, body, head, base };
    const answer = await repository.send({ method: "POST", path: ["pulls"], body: { json }, expect: [201] });
    return readAnswer(numbered, answer).number;
  }
}

/** Closes a pull request without merging it. One that is closed stays so. */
export async function closePullRequest(repository: GithubRepository, number: number): Promise<void> {
  const path = ["pulls", String(number)];
  const body = { json: { state: "closed" } };
  readAnswer(numbered, await repository.send({ method: "PATCH", path, body, expect: [200] }));
}

/** The open pull request from a branch of the repository itself. */
export async function findPullRequest(
  repository: GithubRepository,
  head: string,
): Promise<ListedPullRequest | undefined> {
  const found = await findOpen(repository, head);
  return found === undefined ? undefined : listed(found);
}

async function findOpen(repository: GithubRepository, head: string): Promise<Pull | undefined> {
  const query = { state: "open", head: `${repository.owner}:${head}` };
  const all = await repository.list(["pulls"], z.array(pullSchema), (page) => page, query);
  const own = `${repository.owner}/${repository.name}`.toLowerCase();
  return all.find((it) => it.head.ref === head && it.head.repo?.full_name.toLowerCase() === own);
}

async function listPulls(
  repository: GithubRepository,
  path: readonly string[],
  query?: Readonly<Record<string, string>>,
): Promise<ListedPullRequest[]> {
  const all = await repository.list(path, z.array(pullSchema), (page) => page, query);
  return all.filter(({ state }) => state === "open").map(listed);
}

function listed({ number, head, base }: Pull): ListedPullRequest {
  const side = ({ ref, sha, repo }: Pull["head"]) => ({ ref, sha, repository: repo?.full_name });
  return { number, head: side(head), base: side(base) };
}

function isAsWanted(pull: Pull, { title, body, base }: WantedPullRequest): boolean {
  return pull.title === title && isSameText(pull.body ?? "", body) && pull.base.ref === base;
}

/** Adds labels one by one, so that one which GitHub refuses keeps none of the others off. Gives what it refused. */
async function addLabels(repository: GithubRepository, number: number, labels: readonly string[]): Promise<string[]> {
  const path = ["issues", String(number), "labels"];
  return await tryEach(labels, "the label", async (label) => {
    return await repository.send({ method: "POST", path, body: { json: { labels: [label] } }, expect: takenOrNot });
  });
}

async function ask(repository: GithubRepository, number: number, reviewers: readonly string[]): Promise<string[]> {
  const path = ["pulls", String(number), "requested_reviewers"];
  return await tryEach(reviewers, "the reviewer", async (reviewer) => {
    const team = /^(?:team:|@[^/]+\/)(.+)$/.exec(reviewer)?.[1];
    const json = team === undefined ? { reviewers: [reviewer] } : { team_reviewers: [team] };
    return await repository.send({ method: "POST", path, body: { json }, expect: takenOrNot });
  });
}

/** GitHub refuses with 422 what it does not know, and with 403 or 404 what the token may not name. */
const takenOrNot = [200, 201, 403, 404, 422];

async function tryEach(
  names: readonly string[],
  what: string,
  send: (name: string) => Promise<HttpAnswer>,
): Promise<string[]> {
  const remarks: string[] = [];
  for (const name of names) {
    const { status } = await send(name);
    if (status >= 400) remarks.push(`GitHub did not take ${what} ${name} (status ${status})`);
  }
  return remarks;
}
