import { z } from "zod";
import type { Rotator } from "./rotator.ts";
import { programOptions } from "../../services/program-options.ts";
import { valueSpec } from "./value-spec.ts";

const options = z
  .strictObject({
    kind: z.enum(["chosen", "minted", "rolled"]),
    ...programOptions,
    value: valueSpec,
    /** For a chosen value: the program says whose it is, such as the user whose turn it is. */
    chooses_id: z.boolean().default(false),
    /** The id changes with the value, and programs need it. */
    with_id: z.boolean().default(false),
    outage: z.literal("accept").exactOptional(),
    timeout_seconds: z.int().min(1).max(3600).exactOptional(),
    propagation_seconds: z.int().min(0).max(3600).default(0),
  })
  .superRefine((rule, context) => {
    const issue = (message: string) => context.addIssue({ code: "custom", message });
    const hasId = rule.kind === "minted" || (rule.kind === "chosen" && rule.chooses_id);
    if (rule.chooses_id && rule.kind !== "chosen") issue("chooses_id is for a chosen value");
    if (rule.with_id && !hasId) issue("with_id is for a minted value, or for a chosen one with chooses_id: true");
    if (rule.kind === "minted" && rule.outage !== undefined) issue("a minted value has no outage");
    if (rule.kind === "rolled" && rule.outage === undefined) {
      issue("the old value ends when it is rolled: write outage: accept");
    }
  });
export type ExecRule = z.infer<typeof options>;

/** Any provider, by a program of one's own. */
export const execRotator: Rotator<ExecRule> = {
  name: "exec",
  kind: "any",
  describe: "a credential of anything, by a program of your own",
  options,
  provider: {
    parts: ["value", "id"],
    changing: ({ with_id: withId }) => (withId ? ["value", "id"] : ["value"]),
    outage: ({ outage }) =>
      outage === undefined
        ? undefined
        : "the old value ends at once: programs are shut out until they have the new one",
    references: ({ secrets, environment }) => [
      ...Object.values(secrets),
      ...environment.map((name) => ({ kind: "environment" as const, name })),
    ],
    propagationMs: ({ propagation_seconds: seconds }) => seconds * 1000,
    async open(rule, access) {
      const { openExec } = await import("./exec-provider.ts");
      return openExec(rule, access);
    },
  },
};
