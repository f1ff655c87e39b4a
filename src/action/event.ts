import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Environment } from "../git/place.ts";

/** What started the job. */
export interface JobEvent {
  readonly name: string;
  /** Why what runs, or who started it, may be anybody's; undefined when it is of those who may write here. */
  readonly foreign: string | undefined;
  /** Commit that the change is to be merged into, where the event is about one. */
  readonly base: string | undefined;
}

const repository = z.looseObject({ full_name: z.string() });
const payloadSchema = z.looseObject({
  pull_request: z
    .looseObject({
      base: z.looseObject({ sha: z.string(), repo: repository }),
      head: z.looseObject({ repo: repository.nullable() }),
    })
    .optional(),
  workflow_run: z.looseObject({ head_repository: repository.nullable(), event: z.string().optional() }).optional(),
  merge_group: z.looseObject({ base_sha: z.string() }).optional(),
  repository: repository.optional(),
});
type Payload = z.infer<typeof payloadSchema>;

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
  const base = payload?.pull_request?.base.sha ?? payload?.merge_group?.base_sha;
  return {
    name,
    foreign: whyForeign(name, payload),
    base: base !== undefined && commitId.test(base) ? base : undefined,
  };
}

function loadPayload(path: string | undefined): Payload | undefined {
  if (path === undefined || path === "") return undefined;
  try {
    return payloadSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

function whyForeign(name: string, payload: Payload | undefined): string | undefined {
  if (name === "pull_request_target") return "pull_request_target runs with secrets on a change that may be anybody's";
  if (name === "issue_comment") return "issue_comment is started by whoever writes a comment";
  if (!known.includes(name)) return "the event is none that only those start who may write to the repository";
  if (name === "pull_request" || payload?.pull_request !== undefined) {
    const { base, head } = payload?.pull_request ?? {};
    if (base === undefined) return "the event's payload does not say where the change comes from";
    return isSame(head?.repo, base.repo) ? undefined : "the change comes from a fork";
  }
  if (name !== "workflow_run") return undefined;
  if (payload?.workflow_run === undefined) return "the event's payload does not say where the run comes from";
  const { head_repository: head, event } = payload.workflow_run;
  if (event === "pull_request_target" || event === "issue_comment") return `the run before was started by ${event}`;
  return isSame(head, payload.repository) ? undefined : "the run before was that of a fork";
}

function isSame(one: { full_name: string } | null | undefined, other: { full_name: string } | undefined): boolean {
  return (
    one !== null &&
    one !== undefined &&
    other !== undefined &&
    one.full_name.toLowerCase() === other.full_name.toLowerCase()
  );
}
