import { readFileSync } from "node:fs";
import type { Environment } from "../git/place.ts";

/** What started the job. */
export interface JobEvent {
  readonly name: string;
  /** Why what runs, or who started it, may be anybody's; undefined when it is of those who may write here. */
  readonly foreign: string | undefined;
  /** Commit that the change is to be merged into, where the event is about one. */
  readonly base: string | undefined;
  /** Name of the repository's default branch, where the payload says it: that of a schedule does not. */
  readonly defaultBranch: string | undefined;
  /** The head of the pull request that the event, or the run before, is about. */
  readonly change: JobChange | undefined;
}

/** The head of a pull request, of which the author writes all but the commit's id. */
export interface JobChange {
  readonly commit: string;
  readonly branch: string;
  /** `owner/name`, of a fork its own; undefined for a fork that is no longer there. */
  readonly repository: string | undefined;
}

/** Events that only people who may write to the repository can start, or that are looked at more closely below. */
const known = [
  "push",
  "schedule",
  "workflow_dispatch",
  "repository_dispatch",
  "release",
  "deployment",
  "deployment_status",
  "merge_group",
  "create",
  "delete",
  "pull_request",
  "workflow_run",
];
const commitId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * The event of GITHUB_EVENT_NAME and of the payload in GITHUB_EVENT_PATH. In doubt it is foreign:
 * an event that is not known, and a payload that cannot be read where one is needed.
 */
export function loadEvent(env: Environment): JobEvent {
  const name = env["GITHUB_EVENT_NAME"] ?? "";
  const payload = loadPayload(env["GITHUB_EVENT_PATH"]);
  const base = findText(payload, "pull_request", "base", "sha") ?? findText(payload, "merge_group", "base_sha");
  return {
    name,
    foreign: whyForeign(name, payload),
    base: base !== undefined && commitId.test(base) ? base : undefined,
    defaultBranch: findText(payload, "repository", "default_branch"),
    change: findChange(name, payload),
  };
}

function findChange(name: string, payload: unknown): JobChange | undefined {
  const isRun = name === "workflow_run" && find(payload, "workflow_run", "event") === "pull_request";
  if (!isRun && name !== "pull_request") return undefined;
  const [commit, branch, repository] = isRun
    ? [
        findText(payload, "workflow_run", "head_sha"),
        findText(payload, "workflow_run", "head_branch"),
        findText(payload, "workflow_run", "head_repository", "full_name"),
      ]
    : [
        findText(payload, "pull_request", "head", "sha"),
        findText(payload, "pull_request", "head", "ref"),
        findText(payload, "pull_request", "head", "repo", "full_name"),
      ];
  if (commit === undefined || branch === undefined) return undefined;
  return commitId.test(commit) ? { commit, branch, repository } : undefined;
}

/** Undefined when there is none that can be read. */
function loadPayload(path: string | undefined): unknown {
  if (path === undefined || path === "") return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

function whyForeign(name: string, payload: unknown): string | undefined {
  if (name === "pull_request_target") return "pull_request_target runs with secrets on a change that may be anybody's";
  if (name === "issue_comment") return "issue_comment is started by whoever writes a comment";
  if (!known.includes(name)) return "the event is none that only those start who may write to the repository";
  if (name === "pull_request" || find(payload, "pull_request") !== undefined) {
    const base = findText(payload, "pull_request", "base", "repo", "full_name");
    if (base === undefined) return "the event's payload does not say where the change comes from";
    const head = findText(payload, "pull_request", "head", "repo", "full_name");
    return isSame(head, base) ? undefined : "the change comes from a fork";
  }
  if (name !== "workflow_run") return undefined;
  if (find(payload, "workflow_run") === undefined) return "the event's payload does not say where the run comes from";
  const event = find(payload, "workflow_run", "event");
  if (event !== undefined && !known.some((one) => one === event))
    return "the run before was started by an event that others than those who may write can cause";
  const head = findText(payload, "workflow_run", "head_repository", "full_name");
  return isSame(head, findText(payload, "repository", "full_name")) ? undefined : "the run before was that of a fork";
}

function isSame(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && one.toLowerCase() === other?.toLowerCase();
}

/** What stands below `path` in parsed JSON; undefined where nothing does. */
function find(json: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (found, key) =>
      typeof found === "object" && found !== null && Object.hasOwn(found, key)
        ? (found as Record<string, unknown>)[key]
        : undefined,
    json,
  );
}

function findText(json: unknown, ...path: readonly string[]): string | undefined {
  const found = find(json, ...path);
  return typeof found === "string" ? found : undefined;
}
