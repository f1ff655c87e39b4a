import { z } from "zod";
import { toVariableName } from "./environment-name.ts";
import { programOptions } from "../../services/program-options.ts";
import type { Target } from "./target.ts";

const options = z.strictObject({
  /** Where it is, in words: the same place has the same words. */
  place: z.string().regex(/^[\x20-\x7e]{1,200}$/, "place says where it is, in one line of ASCII"),
  ...programOptions,
  /** Whether the program tells values, and keeps marks. */
  reads_back: z.boolean().default(false),
  keeps_marks: z.boolean().default(false),
  max_value_bytes: z.int().min(1).max(65_536).default(65_536),
  timeout_seconds: z.int().min(1).max(3600).exactOptional(),
});
export type ExecOptions = z.infer<typeof options>;

/** Any place, by a program of one's own. */
export const execTarget: Target<ExecOptions> = {
  describe: "anything, by a program of your own",
  options,
  facts: (written) => ({
    readsBack: written.reads_back,
    keepsMarks: written.keeps_marks,
    hasVersions: false,
    comparesAndSwaps: false,
    nameRule: {
      pattern: /^[\x21-\x7e]+$/,
      says: "printable ASCII without spaces",
      maxLength: 512,
      ignoresCase: false,
    },
    maxValueBytes: written.max_value_bytes,
    holdsBinary: false,
    maxItems: 1000,
  }),
  references: ({ secrets, environment }) => [
    ...Object.values(secrets),
    ...environment.map((name) => ({ kind: "environment" as const, name })),
  ],
  place: ({ place }) => place,
  toName: (name) => toVariableName(name),
  async open(written, access) {
    const { openExecTarget } = await import("./exec-program-target.ts");
    return openExecTarget(written, access);
  },
};
