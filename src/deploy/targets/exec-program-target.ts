import { z } from "zod";
import { ProviderFailure, type FailureClass } from "../../net/provider-failure.ts";
import { Secret } from "../../secret/secret.ts";
import { createRunStep, programText } from "../../services/program-step.ts";
import type { ServiceAccess } from "../../services/service-access.ts";
import type { ExecOptions } from "./exec.ts";
import type { Change, Found, OpenTarget, Progress } from "./target.ts";

const name = z.string().regex(/^[\x21-\x7e]{1,512}$/);
const classes = ["rejected", "auth", "limit", "transient", "unknown"] as const satisfies readonly FailureClass[];

/** What each step prints. */
const answers = {
  inspect: z.strictObject({
    items: z
      .array(
        z.strictObject({
          name,
          mark: z
            .strictObject({ address: z.string().max(1024), fingerprint: z.string().regex(/^[0-9a-f]{16}$/) })
            .nullable()
            .default(null),
          value: z.string().max(65_536).exactOptional(),
          changed_at: z.int().min(0).exactOptional(),
          revision: z.string().max(512).exactOptional(),
          blocked: z
            .string()
            .regex(/^[\x20-\x7e]{1,200}$/)
            .exactOptional(),
        }),
      )
      .max(10_000),
  }),
  apply: z.strictObject({
    done: z.array(name).max(10_000),
    failed: z
      .array(z.strictObject({ name, class: z.enum(classes) }))
      .max(10_000)
      .default([]),
  }),
};

/** Starts nothing yet: each step is a run of its own. */
export function openExecTarget(options: ExecOptions, access: ServiceAccess): OpenTarget {
  const run = createRunStep(options, access, { answers, changes: ["apply"], of: "target" });
  return {
    async inspect(names) {
      const { items } = await run("inspect", { names });
      return items.map(({ name: there, mark, value, changed_at: changedAtMs, revision, blocked }): Found => ({
        name: there,
        mark: options.keeps_marks ? (mark ?? undefined) : undefined,
        value: options.reads_back && value !== undefined ? Secret.text(value) : undefined,
        changedAtMs,
        revision,
        blocked,
      }));
    },
    async apply(change, progress) {
      report(change, progress, await run("apply", printChange(change)));
    },
    close: () => Promise.resolve(),
  };
}

function printChange({ writes, removes, wanted }: Change) {
  return {
    writes: writes.map(({ name: there, value, mark, found }) => ({
      name: there,
      value: programText(value, "target"),
      mark,
      revision: found?.revision ?? null,
    })),
    removes: removes.map(({ name: there, revision }) => ({ name: there, revision: revision ?? null })),
    names: wanted.map((item) => item.name),
  };
}

/** Only what was asked for counts, and each name once. */
function report({ writes, removes }: Change, progress: Progress, answer: z.infer<typeof answers.apply>): void {
  const asked = new Set([...writes, ...removes].map((item) => item.name));
  for (const done of answer.done) if (asked.delete(done)) progress.done(done);
  for (const { name: failed, class: failureClass } of answer.failed) {
    if (!asked.delete(failed)) continue;
    progress.failed(
      failed,
      new ProviderFailure(failureClass, `the program of the target gave the class ${failureClass}`),
    );
  }
  if (asked.size === 0) return;
  throw new ProviderFailure("unknown", "the program of the target did not say what became of everything");
}
