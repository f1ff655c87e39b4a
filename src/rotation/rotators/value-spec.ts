import { z } from "zod";
import { isSealtreeError } from "../../errors.ts";
import { parseGeneratorOptions } from "../generator-spec.ts";

/** An option that says how a new value is made, such as `{kind: hex, bytes: 32}`; a password of 40 characters without. */
export const valueSpec = z
  .record(z.string(), z.unknown())
  .prefault({ kind: "password", length: 40 })
  .transform((written, context) => {
    try {
      return parseGeneratorOptions(written);
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      context.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  });
