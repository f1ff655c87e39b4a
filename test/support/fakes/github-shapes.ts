import type { ApiCall, ApiReply } from "./described-api.ts";

export interface HeldComment {
  readonly id: number;
  readonly user: string;
  body: string;
}

export interface HeldPull {
  /** `isGone`: its repository was deleted. */
  readonly head: { readonly repository: string; readonly ref: string; sha: string; isGone?: boolean };
  base: { readonly ref: string; readonly sha: string };
  readonly reviewers: string[];
  readonly teams: string[];
}

/** An issue, or a pull request when it has a `pull`: GitHub counts both together. */
export interface HeldIssue {
  readonly number: number;
  readonly user: string;
  title: string;
  body: string;
  state: string;
  stateReason: string | null;
  labels: string[];
  assignees: string[];
  readonly comments: HeldComment[];
  readonly pull?: HeldPull;
}

export interface HeldCheckRun {
  readonly id: number;
  readonly name: string;
  readonly head: string;
  readonly externalId: string;
  /** Slug of the App. */
  readonly app: string;
  conclusion: string;
  title: string;
  summary: string;
}

export interface HeldWorkflow {
  readonly id: number;
  /** Its name in `.github/workflows`. */
  readonly file: string;
  state: string;
  /** Newest first. */
  readonly runs: {
    number: number;
    event: string;
    status: string;
    conclusion: string | null;
    at: string;
    /** `main` without. */
    branch?: string;
  }[];
}

/** Slug of the App whose tokens jobs have. */
export const jobSlug = "github-actions";

/** A job of a workflow is a check run too, of the same App; only the runner changes it. */
export function isJob({ app, externalId }: HeldCheckRun): boolean {
  return app === jobSlug && /^[0-9a-f-]{36}$/.test(externalId);
}

export function showIssue(issue: HeldIssue): object {
  const { number, user, title, body, state, stateReason, labels, assignees, pull } = issue;
  const url = `https://api.github.com/repos/test-owner/test-name/pulls/${number}`;
  const ofPull = { url, html_url: url, diff_url: url, patch_url: url, merged_at: null };
  return {
    id: 5_000_000 + number,
    number,
    title,
    body,
    state,
    ...(stateReason === null ? {} : { state_reason: stateReason }),
    user: showUser(user),
    labels: labels.map(showLabel),
    assignees: assignees.map(showUser),
    ...(pull === undefined ? {} : { pull_request: ofPull }),
  };
}

export function showPull({ number, user, title, body, state, labels, pull }: HeldIssue): object {
  const side = (repository: string, ref: string, sha: string) => {
    const [owner = "", name = ""] = repository.split("/");
    return {
      label: `${owner}:${ref}`,
      ref,
      sha,
      user: showUser(owner),
      repo: { id: repository.length, name, full_name: repository },
    };
  };
  if (pull === undefined) throw new Error(`${number} is no pull request`);
  const { head, base } = pull;
  return {
    id: 6_000_000 + number,
    number,
    title,
    body: body === "" ? null : body,
    state,
    user: showUser(user),
    labels: labels.map(showLabel),
    head: { ...side(head.repository, head.ref, head.sha), ...(head.isGone === true ? { repo: null } : {}) },
    base: side("test-owner/test-name", base.ref, base.sha),
  };
}

export function showComment({ id, user, body }: HeldComment): object {
  return { id, body, user: showUser(user) };
}

export function showRun({ id, name, head, externalId, app, conclusion, title, summary }: HeldCheckRun): object {
  const url = `https://api.github.com/repos/test-owner/test-name/check-runs/${id}/annotations`;
  const output = { title, summary, text: null, annotations_count: 0, annotations_url: url };
  const names = { id, name, head_sha: head, external_id: externalId, app: { id: app.length, slug: app } };
  return { ...names, status: "completed", conclusion, output };
}

function showWorkflow({ id, file, state }: HeldWorkflow): object {
  const url = `https://api.github.com/repos/test-owner/test-name/actions/workflows/${id}`;
  const time = "2026-01-02T03:04:05Z";
  const path = `.github/workflows/${file}`;
  const dates = { created_at: time, updated_at: time };
  return { id, node_id: `test-${id}`, name: file, path, state, ...dates, url, html_url: url, badge_url: url };
}

export function showLabel(name: string): object {
  const url = `https://api.github.com/repos/test-owner/test-name/labels/${encodeURIComponent(name)}`;
  return { id: name.length, node_id: `test-${name}`, url, name, description: "", color: "ededed", default: false };
}

function showUser(login: string): object {
  return { id: login.length, login, type: login.endsWith("[bot]") ? "Bot" : "User" };
}

export function pageOf<T>(all: readonly T[], query: URLSearchParams): T[] {
  const [size, page] = [Number(query.get("per_page") ?? 30), Number(query.get("page") ?? 1)];
  return all.slice((page - 1) * size, page * size);
}

export function message(status: number, text: string): ApiReply {
  return { status, json: { message: text } };
}

export function strings(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Does what a PATCH of an issue or a pull request asks for. */
export function change(issue: HeldIssue, body: Readonly<Record<string, unknown>>): void {
  const { title, body: written, state, state_reason: reason, labels, assignees, base } = body;
  if (title !== undefined) issue.title = text(title);
  if (written !== undefined) issue.body = text(written);
  if (state !== undefined) [issue.state, issue.stateReason] = [text(state), text(reason ?? "reopened")];
  if (labels !== undefined) issue.labels = strings(labels);
  if (assignees !== undefined) issue.assignees = strings(assignees);
  if (base !== undefined && issue.pull !== undefined) issue.pull.base = { ...issue.pull.base, ref: text(base) };
}

/** What GitHub answers of workflows and their runs. */
export function answerWorkflow(workflows: readonly HeldWorkflow[], at: string, { params, query }: ApiCall): ApiReply {
  const wanted = params["workflow_id"];
  const workflow = workflows.find(({ id, file }) => String(id) === wanted || file === wanted);
  if (workflow === undefined) return message(404, "Not Found");
  if (at.startsWith("PUT ")) {
    workflow.state = "active";
    return { status: 204 };
  }
  if (!at.endsWith("/runs")) return { status: 200, json: showWorkflow(workflow) };
  const [event, status, branch] = [query.get("event"), query.get("status"), query.get("branch")];
  const found = workflow.runs.filter(
    (it) =>
      (event === null || it.event === event) &&
      (branch === null || (it.branch ?? "main") === branch) &&
      (status === null || [it.status, it.conclusion].includes(status)),
  );
  const shown = pageOf(found, query).map(({ number, at: time, event: cause, status: state, conclusion }) => ({
    event: cause,
    status: state,
    conclusion,
    id: workflow.id * 1000 + number,
    run_number: number,
    path: `.github/workflows/${workflow.file}`,
    created_at: time,
    run_started_at: time,
  }));
  return { status: 200, json: { total_count: found.length, workflow_runs: shown } };
}
