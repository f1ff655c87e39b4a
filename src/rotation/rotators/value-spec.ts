import { z } from "zod";
import { isSealtreeError } from "../../errors.ts";
import { parseGeneratorOptions } from "../generator-spec.ts";

/** How a new value is made, such as `{kind: hex, bytes: 32}`. */
export const generatorOptions = z.record(z.string(), z.unknown()).transform((written, context) => {
  try {
    return parseGeneratorOptions(written);
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    context.addIssue({ code: "custom", message: error.message });
    return z.NEVER;
  }
});

/** An option that says how a new value is made; a password of 40 characters without. */
export const valueSpec = generatorOptions.prefault({ kind: "password", length: 40 });
