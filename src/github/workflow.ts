import { z } from "zod";
import { readAnswer } from "../services/service-answer.ts";
import type { GithubRepository } from "./repository.ts";

/** A workflow, as GitHub has it. */
export interface Workflow {
  readonly id: number;
  /** Such as `active`, or `disabled_inactivity`: a schedule that GitHub turned off. */
  readonly state: string;
  /** From the root, such as `.github/workflows/rotation.yml`. */
  readonly path: string;
}

/** One run of a workflow. */
export interface WorkflowRun {
  /** When it began, in milliseconds. */
  readonly atMs: number;
  readonly number: number;
  /** Such as `success`; null while it runs. */
  readonly conclusion: string | null;
}

const workflowSchema = z.object({ id: z.int(), state: z.string(), path: z.string() });
const runsSchema = z.object({
  workflow_runs: z.array(
    z.object({
      run_number: z.int(),
      created_at: z.string(),
      run_started_at: z.string().optional(),
      conclusion: z.string().nullable(),
    }),
  ),
});

/** The workflow in a file of `.github/workflows`, by the file's name; undefined when there is none that the token may see. */
export async function findWorkflow(repository: GithubRepository, file: string): Promise<Workflow | undefined> {
  const path = ["actions", "workflows", file];
  const answer = await repository.send({ method: "GET", path, expect: [200, 404] });
  return answer.status === 404 ? undefined : readAnswer(workflowSchema, answer);
}

/**
 * The newest run of the workflow in a file; with `event` of those that it started, with `branch`
 * of those on it, with `status` of those that are in it or ended in it, such as `success`. Undefined when
 * there is none.
 */
export async function findLastRun(
  repository: GithubRepository,
  file: string,
  { event, status, branch }: { readonly [filter in "event" | "status" | "branch"]?: string | undefined } = {},
): Promise<WorkflowRun | undefined> {
  const query = {
    per_page: "1",
    ...(branch === undefined ? {} : { branch }),
    ...(event === undefined ? {} : { event }),
    ...(status === undefined ? {} : { status }),
  };
  const path = ["actions", "workflows", file, "runs"];
  const answer = await repository.send({ method: "GET", path, query, expect: [200, 404] });
  if (answer.status === 404) return undefined;
  const [run] = readAnswer(runsSchema, answer).workflow_runs;
  if (run === undefined) return undefined;
  const atMs = Date.parse(run.run_started_at ?? run.created_at);
  return { atMs, number: run.run_number, conclusion: run.conclusion };
}

/** Turns a workflow on again that was turned off. */
export async function enableWorkflow(repository: GithubRepository, id: number): Promise<void> {
  await repository.send({ method: "PUT", path: ["actions", "workflows", String(id), "enable"], expect: [204] });
}
