import { z } from "zod";
import { secretReference } from "./secret-reference.ts";

const variableName = z.string().regex(/^(?!SEALTREE_)[A-Za-z_][A-Za-z0-9_]{0,127}$/, {
  error: "environment names variables, none of them of SEALTREE_",
});
const partName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/);

/** What a policy says of a program that it names. */
export const programOptions = {
  /** The program and its arguments, which no shell reads. */
  command: z
    .array(
      z
        .string()
        .max(4096)
        .refine((text) => !text.includes("\0")),
    )
    .min(1)
    .max(64)
    .refine(([program]) => program !== undefined && program !== "", { error: "command names a program first" }),
  /** Given to the program as they are. */
  settings: z.record(z.string(), z.json()).default({}),
  /** Given to the program with their values. */
  secrets: z.record(partName, secretReference).default({}),
  /** Variables that it gets, PATH always, by which it is found. */
  environment: z
    .array(variableName)
    .max(64)
    .default([])
    .transform((names) => [...new Set(["PATH", ...names])]),
};
