import { z } from "zod";
import { readAnswer } from "../services/service-answer.ts";
import type { GithubRepository } from "./repository.ts";

/** A verdict on a commit. */
export interface CheckRun {
  readonly name: string;
  /** The commit's id. */
  readonly head: string;
  readonly conclusion: "success" | "neutral" | "failure";
  readonly title: string;
  /** Markdown, of 65,535 characters at most. */
  readonly summary: string;
}

/** What tells our run from a job of a workflow, which may have any name and is of the same App. */
const externalId = "sealtree";
const runsSchema = z.object({
  check_runs: z.array(
    z.object({
      id: z.int(),
      name: z.string(),
      external_id: z.string().nullable(),
      app: z.object({ slug: z.string().exactOptional() }).nullish(),
    }),
  ),
});
const made = z.object({ id: z.int() });

/**
 * Sets a check run of a commit; that of the same name which our own App made is changed. Only an App may: that of the job's
 * token with `checks: write`, or an own one. Throws ProviderFailure.
 */
export async function putCheckRun(repository: GithubRepository, run: CheckRun): Promise<void> {
  const { name, head, conclusion, title, summary } = run;
  const found = await repository.list(["commits", head, "check-runs"], runsSchema, ({ check_runs: runs }) => runs, {
    check_name: name,
  });
  const marked = found.filter((it) => it.name === name && it.external_id === externalId);
  // One of another App may be changed by that alone. Whose token it is costs a question, so it is asked late.
  const login = marked.length === 0 ? undefined : await repository.login();
  const ours = marked.find(({ app }) => `${app?.slug ?? ""}[bot]` === login);
  const shown = { status: "completed", conclusion, output: { title, summary } };
  const answer =
    ours === undefined
      ? await repository.send({
          method: "POST",
          path: ["check-runs"],
          body: { json: { name, head_sha: head, external_id: externalId, ...shown } },
          expect: [201],
        })
      : await repository.send({
          method: "PATCH",
          path: ["check-runs", String(ours.id)],
          body: { json: shown },
          expect: [200],
        });
  readAnswer(made, answer);
}
