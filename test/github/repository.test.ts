import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { putCheckRun } from "../../src/github/check-run.ts";
import { putComment } from "../../src/github/comment.ts";
import { closeIssue, putIssue } from "../../src/github/issue.ts";
import {
  closePullRequest,
  findPullRequest,
  listPullRequestsFrom,
  putPullRequest,
} from "../../src/github/pull-request.ts";
import { openGithubRepository, type GithubRepository } from "../../src/github/repository.ts";
import { enableWorkflow, findLastRun, findWorkflow } from "../../src/github/workflow.ts";
import { Secret } from "../../src/secret/secret.ts";
import { startDescribedApi } from "../support/fakes/described-api.ts";
import { startFakeGithubRepository, type FakeGithubRepository } from "../support/fakes/github-repository.ts";
import { providerAccess } from "../support/provider-access.ts";

const access = providerAccess({});
const [one, two, three] = ["1".repeat(40), "2".repeat(40), "3".repeat(40)];
const bot = "github-actions[bot]";
const marker = "<!-- sealtree: test -->";
let github: FakeGithubRepository;
let repository: GithubRepository;

function open(repositoryName = "test-owner/test-name", token = "test-token"): GithubRepository {
  return openGithubRepository({ api: github.url, repository: repositoryName, token: Secret.text(token), access });
}

beforeEach(async () => {
  github = await startFakeGithubRepository();
  github.branches.set("main", one).set("topic", two);
  repository = open();
});
afterEach(async () => await github.stop());

function openTopic() {
  const head = { repository: "test-owner/test-name", ref: "topic", sha: two };
  return github.openPull({ head, base: { ref: "main", sha: one } });
}

describe("a repository", () => {
  it("is named as owner and name, and nothing else", () => {
    for (const name of ["test-owner", "a/b/c", "../x", "a/..", "test owner/x", ""])
      expect(() => open(name)).toThrow(expect.objectContaining({ class: "rejected" }));
  });

  it("tells whose the token is, also on a server of one's own, and asks once", async () => {
    expect([await repository.login(), await repository.login()]).toEqual([bot, bot]);
    expect(github.requests).toEqual(["POST /graphql"]);
    const server = await startDescribedApi({
      additions: {
        "/api/graphql": {
          post: {
            requestBody: { content: { "application/json": { schema: {} } } },
            responses: { 200: { content: { "application/json": { schema: {} } } } },
          },
        },
      },
      answer: () => ({ status: 200, json: { data: { viewer: { login: "test-server[bot]" } } } }),
    });
    const own = { api: `${server.url}/api/v3`, repository: "a/b", token: Secret.text("test-token"), access };
    expect(await openGithubRepository(own).login()).toBe("test-server[bot]");
    await server.stop();
  });

  it("says nothing that GitHub said", async () => {
    const stranger = open("test-owner/test-name", "test-wrong-token");
    const failure = await stranger
      .send({ method: "GET", path: ["pulls", "1"], expect: [200] })
      .catch((it: unknown) => it);
    expect(failure).toMatchObject({ class: "auth" });
    expect(String((failure as Error).stack)).not.toMatch(/Bad credentials|test-wrong-token/);
  });
});

describe("a kept comment", () => {
  it("is made, left alone when it is the same, and changed in place", async () => {
    const pull = openTopic();
    const put = async (body: string) => await putComment(repository, { number: pull.number, marker, body });
    expect([await put("first"), await put("first"), await put("second")]).toEqual(["created", "same", "updated"]);
    expect(pull.comments).toMatchObject([{ user: bot, body: `${marker}\nsecond` }]);
  });

  it("is not one of somebody else, and not one that has the marker elsewhere", async () => {
    const pull = openTopic();
    const before = [
      github.addComment(pull, "mallory", `${marker}\nall is well`),
      github.addComment(pull, "other[bot]", `${marker}\nall is well`),
      github.addComment(pull, bot, `> ${marker}\nall is well`),
      github.addComment(pull, bot, `${marker} all is well`),
    ].map((it) => ({ ...it }));
    expect(await putComment(repository, { number: pull.number, marker, body: "it is not" })).toBe("created");
    expect(pull.comments.slice(0, 4)).toEqual(before);
  });

  it("is found behind a hundred others, and with the line ends of a browser", async () => {
    const pull = openTopic();
    for (let count = 0; count < 130; count++) github.addComment(pull, "alice", "a word");
    const ours = github.addComment(pull, bot, `${marker}\r\nfirst\r\nline\r\n`);
    expect(await putComment(repository, { number: pull.number, marker, body: "first\nline" })).toBe("same");
    expect(await putComment(repository, { number: pull.number, marker, body: "second" })).toBe("updated");
    expect(ours.body).toBe(`${marker}\nsecond`);
  });

  it("fails as auth where the token may not write", async () => {
    const pull = openTopic();
    github.rights.clear();
    await expect(putComment(repository, { number: pull.number, marker, body: "x" })).rejects.toMatchObject({
      class: "auth",
    });
  });
});

describe("a check run", () => {
  const run = { name: "sealtree review", head: two, conclusion: "failure", title: "blocked", summary: "why" } as const;

  it("is made once a commit, and changed from then on", async () => {
    await putCheckRun(repository, run);
    await putCheckRun(repository, { ...run, conclusion: "success", title: "fine" });
    expect(github.checkRuns).toMatchObject([{ head: two, name: run.name, conclusion: "success", title: "fine" }]);
    await putCheckRun(repository, { ...run, head: one });
    expect(github.checkRuns.map(({ head }) => head)).toEqual([two, one]);
  });

  it("is never that of another App with our mark, which nobody else may change", async () => {
    github.checkRuns.push({ ...run, id: 8, externalId: "sealtree", app: "test-other-app", conclusion: "success" });
    await putCheckRun(repository, run);
    await putCheckRun(repository, { ...run, title: "again" });
    expect(github.checkRuns.map(({ title }) => title)).toEqual(["blocked", "again"]);
  });

  it("is never a job of the same name, which a workflow of anybody can have", async () => {
    const externalId = "00000000-0000-4000-8000-000000000000";
    const job = { ...run, id: 7, externalId, app: "github-actions", conclusion: "success" };
    github.checkRuns.push(job);
    await putCheckRun(repository, run);
    expect(github.checkRuns.map(({ conclusion }) => conclusion)).toEqual(["success", "failure"]);
  });
});

describe("pull requests", () => {
  const wanted = { head: "topic", base: "main", title: "t", body: "b", labels: [], reviewers: [] };

  it("are found by the branch that they come from, those of forks too", async () => {
    const own = openTopic();
    const side = { repository: "mallory/test-fork", ref: "topic", sha: three };
    const forked = github.openPull({ head: side, base: { ref: "main", sha: one } });
    const ours = await listPullRequestsFrom(repository, { owner: "test-owner", branch: "topic" });
    expect(ours.map(({ number }) => number)).toEqual([own.number]);
    expect(await listPullRequestsFrom(repository, { owner: "mallory", branch: "topic" })).toEqual([
      { number: forked.number, head: side, base: { repository: "test-owner/test-name", ref: "main", sha: one } },
    ]);
    own.state = "closed";
    expect(await listPullRequestsFrom(repository, { owner: "test-owner", branch: "topic" })).toEqual([]);
  });

  it("are opened once a branch, brought up to date, closed, and opened anew", async () => {
    const first = await putPullRequest(repository, wanted);
    expect([first.outcome, (await findPullRequest(repository, "topic"))?.number]).toEqual(["created", first.number]);
    const second = await putPullRequest(repository, { ...wanted, body: "c" });
    expect([second.number, second.outcome, github.issues[0]?.body]).toEqual([first.number, "updated", "c"]);
    await closePullRequest(repository, first.number);
    expect((await putPullRequest(repository, wanted)).number).toBe(first.number + 1);
  });

  it("are not confused with one of a fork's branch of the same name", async () => {
    const head = { repository: "test-owner/test-fork", ref: "topic", sha: three };
    github.openPull({ head, base: { ref: "main", sha: one } });
    expect(await findPullRequest(repository, "topic")).toBeUndefined();
    expect((await putPullRequest(repository, wanted)).outcome).toBe("created");
  });

  it("have the labels and reviewers that GitHub takes; the others are remarks", async () => {
    const labels = ["secrets", "x".repeat(51)];
    const reviewers = ["alice", "nobody-here", "@test-owner/test-team", "team:gone"];
    const { number, remarks } = await putPullRequest(repository, { ...wanted, labels, reviewers });
    const issue = github.issues.find((it) => it.number === number);
    expect([issue?.labels, issue?.pull?.reviewers, issue?.pull?.teams]).toEqual([
      ["secrets"],
      ["alice"],
      ["test-team"],
    ]);
    expect(remarks.map((remark) => remark.slice(-40))).toEqual([
      expect.stringContaining("(status 422)"),
      expect.stringContaining("nobody-here"),
      expect.stringContaining("team:gone"),
    ]);
  });
});

describe("a kept issue", () => {
  const wanted = { marker, title: "to do", body: "- [ ] one", labels: ["secrets"], assignees: ["alice", "nobody"] };

  it("is opened, left alone, changed, closed with a word, and opened again", async () => {
    const put = async (more = {}) => (await putIssue(repository, { ...wanted, ...more })).outcome;
    expect([await put(), await put(), await put({ body: "- [x] one" })]).toEqual(["created", "same", "updated"]);
    expect(await put({ body: "- [x] one", labels: ["secrets", "late"] })).toBe("updated");
    expect(github.issues).toMatchObject([{ labels: ["secrets", "late"], assignees: ["alice"] }]);
    expect(await closeIssue(repository, { marker, comment: "all is done" })).toBe(1);
    expect(github.issues).toMatchObject([{ state: "closed", stateReason: "completed", comments: [{ user: bot }] }]);
    expect(await closeIssue(repository, { marker, comment: "again" })).toBeUndefined();
    expect([await put(), github.issues.length, github.issues[0]?.state]).toEqual(["reopened", 1, "open"]);
  });

  it("is not one that somebody else opened with the marker", async () => {
    const theirs = github.openIssue({ user: "mallory", title: "to do", body: `${marker}\nnothing` });
    expect((await putIssue(repository, wanted)).outcome).toBe("created");
    await closeIssue(repository, { marker, comment: "done" });
    expect([theirs.state, theirs.body]).toEqual(["open", `${marker}\nnothing`]);
  });
});

describe("a workflow", () => {
  it("tells its state and its last run, and is turned on again", async () => {
    const run = (number: number, more = {}) => ({
      number,
      event: "schedule",
      status: "completed",
      conclusion: "success",
      at: `2026-01-0${number}T00:00:00Z`,
      ...more,
    });
    const runs = [run(3, { conclusion: "failure" }), run(2, { event: "workflow_dispatch" }), run(1)];
    github.workflows.push({ id: 9, file: "rotation.yml", state: "disabled_inactivity", runs });
    const found = await findWorkflow(repository, "rotation.yml");
    expect(found).toEqual({ id: 9, state: "disabled_inactivity", path: ".github/workflows/rotation.yml" });
    await enableWorkflow(repository, found?.id ?? 0);
    expect((await findWorkflow(repository, "rotation.yml"))?.state).toBe("active");
    const atMs = Date.UTC(2026, 0, 2);
    expect(await findLastRun(repository, "rotation.yml", { status: "success" })).toEqual({
      atMs,
      number: 2,
      conclusion: "success",
    });
    expect((await findLastRun(repository, "rotation.yml"))?.number).toBe(3);
    expect((await findLastRun(repository, "rotation.yml", { event: "schedule", status: "success" }))?.number).toBe(1);
  });

  it("that is not there is undefined", async () => {
    expect(await findWorkflow(repository, "gone.yml")).toBeUndefined();
    expect(await findLastRun(repository, "gone.yml")).toBeUndefined();
  });
});
