import { z } from "zod";
import { isSealtreeError } from "../../errors.ts";
import { generateValue, parseGeneratorOptions, type GeneratorSpec } from "../generator-spec.ts";
import type { Rotator } from "./rotator.ts";

/** A random value; its options are a generator spec, such as `{kind: base64, bytes: 48}`. */
export const generateRotator: Rotator<GeneratorSpec> = {
  name: "generate",
  kind: "chosen",
  describe: "a random value, for a secret that only our own programs know",
  options: z.record(z.string(), z.unknown()).transform((written, context) => {
    try {
      return parseGeneratorOptions(written);
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      context.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  }),
  generate: generateValue,
};
