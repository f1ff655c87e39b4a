import type { GitServer } from "../git-server.ts";
import { createFakeGithubApp, type FakeGithubApp } from "./github-app.ts";
import type { ApiPaths } from "./api-description.ts";
import { startDescribedApi, type ApiCall, type ApiReply, type DescribedApi } from "./described-api.ts";
import {
  answerWorkflow,
  change,
  isJob,
  jobSlug,
  message,
  pageOf,
  showComment,
  showIssue,
  showLabel,
  showPull,
  showRun,
  strings,
  text,
  type HeldCheckRun,
  type HeldComment,
  type HeldIssue,
  type HeldPull,
  type HeldWorkflow,
} from "./github-shapes.ts";

export interface FakeGithubRepository extends DescribedApi {
  readonly issues: HeldIssue[];
  readonly checkRuns: HeldCheckRun[];
  readonly workflows: HeldWorkflow[];
  /** Branches of the repository, to their commits; where there is a git server, its branches are there too. */
  readonly branches: Map<string, string>;
  /** Who may review and be assigned. */
  readonly collaborators: Set<string>;
  /** What the job's own token, `test-token`, may write. */
  readonly rights: Set<string>;
  /** Signs in as `test-app[bot]`. */
  readonly app: FakeGithubApp;
  /** Opens a pull request as a person would on the web. */
  openPull(pull: { user?: string; title?: string; body?: string } & Pick<HeldPull, "head" | "base">): HeldIssue;
  /** Opens an issue as a person would on the web. */
  openIssue(issue: { user: string; title: string; body: string }): HeldIssue;
  addComment(issue: HeldIssue, user: string, body: string): HeldComment;
}

const own = "test-owner/test-name";
const maxBodyChars = 65_536;
/** GraphQL is not in the description of the REST API. */
const graphql: ApiPaths = {
  "/graphql": {
    post: {
      requestBody: {
        required: true,
        content: { "application/json": { schema: { type: "object", properties: { query: { type: "string" } } } } },
      },
      responses: { 200: { content: { "application/json": { schema: { type: "object" } } } } },
    },
  },
};

/**
 * Issues, comments, pull requests, check runs and workflows of `test-owner/test-name`, by GitHub's
 * published description. With a git server pull requests follow its branches, and are there as
 * `refs/pull/N/head`.
 */
export async function startFakeGithubRepository(server?: Pick<GitServer, "git">): Promise<FakeGithubRepository> {
  const app = createFakeGithubApp();
  for (const right of ["checks", "contents", "pull_requests", "issues", "actions"]) app.rights.add(right);
  const issues: HeldIssue[] = [];
  const checkRuns: HeldCheckRun[] = [];
  const workflows: HeldWorkflow[] = [];
  const branches = new Map<string, string>();
  const collaborators = new Set(["alice", "bob"]);
  const rights = new Set(["checks", "pull_requests", "issues", "actions"]);
  let lastId = 1000;

  const api = await startDescribedApi({
    description: "github",
    additions: graphql,
    // GitHub answers null for a repository that was deleted.
    tolerated: [/^body\/\d+\/head\/repo must be object$/],
    headers: {
      authorization: /^Bearer \S+$/,
      accept: /^application\/vnd\.github\+json$/,
      "x-github-api-version": /^2022-11-28$/,
      "user-agent": /./,
    },
    answer(call) {
      const ofApp = app.answer(call);
      if (ofApp !== undefined) return ofApp;
      const token = call.header("authorization")?.slice("Bearer ".length) ?? "";
      const slug = token === "test-token" ? jobSlug : app.accepts(token) ? "test-app" : undefined;
      if (slug === undefined) return message(401, "Bad credentials");
      const granted = app.granted.find((it) => it.token === token)?.permissions as Record<string, string> | undefined;
      const mayWrite = (right: string) => (slug === jobSlug ? rights.has(right) : granted?.[right] === "write");
      if (call.operation === "POST /graphql") {
        const isKnown = /^\s*\{\s*viewer\s*\{\s*login\s*\}\s*\}\s*$/.test(String(call.body["query"]));
        return isKnown ? { status: 200, json: { data: { viewer: { login: `${slug}[bot]` } } } } : message(400, "query");
      }
      const { owner = "", repo = "" } = call.params;
      if (`${owner}/${repo}` !== own) return message(404, "Not Found");
      const wanted = rightsFor(call);
      if (wanted.length > 0 && !wanted.some(mayWrite)) return message(403, "Resource not accessible by integration");
      return answer(call, slug);
    },
  });

  function rightsFor({ operation, params }: ApiCall): readonly string[] {
    if (operation.startsWith("GET ")) return [];
    if (operation.includes("/check-runs")) return ["checks"];
    if (operation.includes("/actions/")) return ["actions"];
    if (operation.includes("/pulls")) return ["pull_requests"];
    const comment = Number(params["comment_id"] ?? 0);
    const issue = issues.find(
      (it) => String(it.number) === params["issue_number"] || it.comments.some(({ id }) => id === comment),
    );
    return issue?.pull === undefined ? ["issues"] : ["issues", "pull_requests"];
  }

  function followBranches(): void {
    const listed = server?.git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads/") ?? "";
    for (const line of listed.split("\n").filter(Boolean)) {
      const [name = "", sha = ""] = line.split(" ");
      branches.set(name, sha);
    }
    for (const { number, pull, state } of issues) {
      if (pull?.head.repository === own && state === "open") pull.head.sha = branches.get(pull.head.ref) ?? "";
      if (pull !== undefined) server?.git("update-ref", `refs/pull/${number}/head`, pull.head.sha);
    }
  }

  function answer(call: ApiCall, slug: string): ApiReply {
    followBranches();
    const { operation, params, query, body } = call;
    const login = `${slug}[bot]`;
    const issue = issues.find(({ number }) => String(number) === (params["issue_number"] ?? params["pull_number"]));
    const at = operation.replace("/repos/{owner}/{repo}", "");
    if (text(body["body"] ?? "").length > maxBodyChars) return message(422, "body is too long");
    switch (at) {
      case "GET /issues": {
        const [state, creator] = [query.get("state") ?? "open", query.get("creator")];
        const found = issues.filter(
          (it) => (state === "all" || it.state === state) && (creator === null || it.user === creator),
        );
        const sorted = query.get("direction") === "asc" ? found : found.toReversed();
        return { status: 200, json: pageOf(sorted, query).map(showIssue) };
      }
      case "POST /issues":
        return { status: 201, json: showIssue(addIssue(login, body)) };
      case "GET /pulls": {
        const [state, head, base] = [query.get("state") ?? "open", query.get("head"), query.get("base")];
        const found = issues.filter(
          (it) =>
            it.pull !== undefined &&
            (state === "all" || it.state === state) &&
            (head === null || (head === headOf(it.pull) && it.pull.head.isGone !== true)) &&
            (base === null || base === it.pull.base.ref),
        );
        return { status: 200, json: pageOf(found.toReversed(), query).map(showPull) };
      }
      case "POST /pulls":
        return openOwnPull(login, body);
      case "GET /commits/{commit_sha}/pulls": {
        // GitHub does not list those of forks.
        const found = issues.filter(
          ({ pull }) => pull?.head.sha === params["commit_sha"] && pull?.head.repository === own,
        );
        return { status: 200, json: pageOf(found, query).map(showPull) };
      }
      case "GET /commits/{ref}/check-runs": {
        const name = query.get("check_name");
        const found = checkRuns.filter((it) => it.head === params["ref"] && (name === null || it.name === name));
        return { status: 200, json: { total_count: found.length, check_runs: pageOf(found, query).map(showRun) } };
      }
      case "POST /check-runs":
        return addCheckRun(body, slug);
      case "PATCH /check-runs/{check_run_id}": {
        const run = checkRuns.find(({ id }) => String(id) === params["check_run_id"]);
        if (run === undefined) return message(404, "Not Found");
        if (run.app !== slug || isJob(run)) return message(403, "Resource not accessible by integration");
        Object.assign(run, { conclusion: body["conclusion"], ...(body["output"] as object) });
        return { status: 200, json: showRun(run) };
      }
      case "PATCH /issues/comments/{comment_id}": {
        const found = issues.flatMap(({ comments }) => comments).find(({ id }) => String(id) === params["comment_id"]);
        if (found === undefined) return message(404, "Not Found");
        found.body = text(body["body"]);
        return { status: 200, json: showComment(found) };
      }
    }
    if (at.includes("/actions/workflows/")) return answerWorkflow(workflows, at, call);
    if (issue === undefined || (at.includes("/pulls/") && issue.pull === undefined)) return message(404, "Not Found");
    switch (at) {
      case "GET /issues/{issue_number}":
        return { status: 200, json: showIssue(issue) };
      case "PATCH /issues/{issue_number}":
        change(issue, body);
        return { status: 200, json: showIssue(issue) };
      case "GET /issues/{issue_number}/comments":
        return { status: 200, json: pageOf(issue.comments, query).map(showComment) };
      case "POST /issues/{issue_number}/comments":
        return { status: 201, json: showComment(addComment(issue, login, text(body["body"]))) };
      case "POST /issues/{issue_number}/labels": {
        const labels = body["labels"] as readonly string[];
        if (labels.some((label) => label.length > 50)) return message(422, "Validation Failed");
        issue.labels = [...new Set([...issue.labels, ...labels])];
        return { status: 200, json: issue.labels.map(showLabel) };
      }
      case "GET /pulls/{pull_number}":
        return { status: 200, json: showPull(issue) };
      case "PATCH /pulls/{pull_number}":
        change(issue, body);
        return { status: 200, json: showPull(issue) };
      case "POST /pulls/{pull_number}/requested_reviewers": {
        const [people, teams] = [strings(body["reviewers"]), strings(body["team_reviewers"])];
        const isUnfit = people.some((it) => !collaborators.has(it) || it === issue.user);
        if (isUnfit || teams.some((team) => team !== "test-team")) return message(422, "Reviews may only be requested");
        issue.pull?.reviewers.push(...people);
        issue.pull?.teams.push(...teams);
        return { status: 201, json: showPull(issue) };
      }
    }
    return message(500, `the fake knows no ${at}`);
  }

  function addIssue(user: string, body: ApiCall["body"], pull?: HeldPull): HeldIssue {
    const made: HeldIssue = {
      number: issues.length + 1,
      user,
      title: text(body["title"]),
      body: text(body["body"] ?? ""),
      state: "open",
      stateReason: null,
      labels: strings(body["labels"]),
      // Who cannot be one is left out without a word.
      assignees: strings(body["assignees"]).filter((login) => collaborators.has(login)),
      comments: [],
      ...(pull === undefined ? {} : { pull }),
    };
    issues.push(made);
    return made;
  }

  function openOwnPull(login: string, body: ApiCall["body"]): ApiReply {
    const [ref, base] = [text(body["head"]), text(body["base"])];
    const [sha, baseSha] = [branches.get(ref), branches.get(base)];
    const isOpen = issues.some(
      ({ state, pull }) => state === "open" && pull?.head.repository === own && pull.head.ref === ref,
    );
    if (sha === undefined || baseSha === undefined || sha === baseSha || isOpen)
      return message(422, "Validation Failed");
    const head = { repository: own, ref, sha };
    const pull: HeldPull = { head, base: { ref: base, sha: baseSha }, reviewers: [], teams: [] };
    return { status: 201, json: showPull(addIssue(login, body, pull)) };
  }

  function addCheckRun(body: ApiCall["body"], app: string): ApiReply {
    const head = text(body["head_sha"]);
    const isThere = [...branches.values()].includes(head) || issues.some(({ pull }) => pull?.head.sha === head);
    if (!isThere) return message(422, "No commit found for SHA");
    const { title, summary } = (body["output"] ?? {}) as Record<string, unknown>;
    const [name, externalId, conclusion] = [body["name"], body["external_id"] ?? "", body["conclusion"]].map(text);
    const made = { id: ++lastId, name, externalId, conclusion, head, app, title, summary } as HeldCheckRun;
    checkRuns.push(made);
    return { status: 201, json: showRun(made) };
  }

  function addComment(issue: HeldIssue, user: string, body: string): HeldComment {
    const made = { id: ++lastId, user, body };
    issue.comments.push(made);
    return made;
  }

  return {
    ...api,
    issues,
    checkRuns,
    workflows,
    branches,
    collaborators,
    rights,
    app,
    addComment,
    openIssue: ({ user, title, body }) => addIssue(user, { title, body }),
    openPull: ({ user = "alice", title = "a change", body = "", head, base }) =>
      addIssue(user, { title, body }, { head, base, reviewers: [], teams: [] }),
  };
}

function headOf({ head: { repository, ref } }: HeldPull): string {
  return `${repository.split("/")[0] ?? ""}:${ref}`;
}
