import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { startFakeGithubRepository, type FakeGithubRepository } from "./fakes/github-repository.ts";
import type { HeldIssue } from "./fakes/github-shapes.ts";
import { startGitServer, type GitServer } from "./git-server.ts";
import { createSealedRepository, type TestRepository } from "./repository.ts";
import { makeThrowAway } from "./throw-away.ts";

export const ownName = "test-owner/test-name";
const forkName = "mallory/test-fork";

/** A repository on the fake GitHub with a real git server, and people who open pull requests. */
export interface ReviewTeam {
  readonly server: GitServer;
  readonly github: FakeGithubRepository;
  readonly owner: TestRepository;
  /** What a job of the team's second workflow has. */
  readonly env: Readonly<Record<string, string>>;
  /** A clone as actions/checkout makes it: of the default branch, without credentials. */
  clone(): string;
  /** Opens a pull request, from a fork without `from`, with one commit that `make` brings about. */
  openPull(make: Change, options?: { readonly from?: string; readonly into?: string }): Promise<HeldIssue>;
  /** Adds a commit to a pull request. */
  addCommit(pull: HeldIssue, make: Change): Promise<void>;
}

/** Changes files in the work tree; what it leaves behind is committed. */
export type Change = (repository: TestRepository) => void | Promise<void>;

export async function createReviewTeam(): Promise<ReviewTeam> {
  const server = await startGitServer();
  const github = await startFakeGithubRepository(server);
  const owner = await createSealedRepository();
  await owner.ok(["set", "prod/api/API_KEY", "--stdin"], { stdin: "test-value-of-the-team" });
  owner.git("push", "--quiet", server.folder, "main");

  async function commit(branch: string, start: string, number: number, make: Change): Promise<string> {
    owner.git("switch", "--quiet", "--force-create", branch, start);
    await make(owner);
    owner.git("add", "--all");
    owner.git("commit", "--quiet", "--allow-empty", "--message", "a change");
    const sha = owner.git("rev-parse", "HEAD").trim();
    owner.git("push", "--quiet", "--force", server.folder, `HEAD:refs/pull/${number}/head`);
    owner.git("switch", "--quiet", "main");
    return sha;
  }

  return {
    server,
    github,
    owner,
    env: {
      HOME: makeThrowAway("sealtree-job-"),
      GITHUB_REPOSITORY: ownName,
      GITHUB_API_URL: github.url,
      GITHUB_SERVER_URL: server.githubUrl,
      GITHUB_TOKEN: "test-token",
    },
    clone() {
      const base = makeThrowAway("sealtree-workspace-");
      execFileSync("git", ["clone", "--quiet", server.folder, "api"], { cwd: base });
      return join(base, "api");
    },
    async openPull(make, { from = forkName, into = "main" } = {}) {
      const number = github.issues.length + 1;
      const ref = `topic-${number}`;
      const sha = await commit(ref, into, number, make);
      if (from === ownName) owner.git("push", "--quiet", server.folder, `${sha}:refs/heads/${ref}`);
      const base = { ref: into, sha: server.git("rev-parse", into).trim() };
      return github.openPull({ user: "mallory", head: { repository: from, ref, sha }, base });
    },
    async addCommit({ number, pull }, make) {
      if (pull === undefined) throw new Error("no pull request");
      pull.head.sha = await commit(pull.head.ref, pull.head.sha, number, make);
      if (pull.head.repository === ownName) server.git("update-ref", `refs/heads/${pull.head.ref}`, pull.head.sha);
    },
  };
}

/** The payload of `workflow_run` after the first workflow ran for a pull request. */
export function runPayload({ pull }: HeldIssue, more: Readonly<Record<string, unknown>> = {}) {
  return {
    workflow_run: {
      event: "pull_request",
      conclusion: "success",
      head_sha: pull?.head.sha,
      head_branch: pull?.head.ref,
      head_repository: { full_name: pull?.head.repository },
      pull_requests: [],
      ...more,
    },
    repository: { full_name: ownName, default_branch: "main" },
  };
}

/** The payload of `pull_request`. */
export function pullPayload({ number, pull }: HeldIssue) {
  return {
    number,
    pull_request: {
      number,
      head: { sha: pull?.head.sha, ref: pull?.head.ref, repo: { full_name: pull?.head.repository } },
      base: { sha: pull?.base.sha, ref: pull?.base.ref, repo: { full_name: ownName } },
    },
    repository: { full_name: ownName, default_branch: "main" },
  };
}
