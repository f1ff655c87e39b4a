import { z } from "zod";
import { Secret } from "../../secret/secret.ts";
import type { Generator } from "./generator.ts";
import { randomIndexes } from "./uniform.ts";

export interface NumericOptions {
  readonly length: number;
}

/** Decimal digits, such as a PIN. Short ones are for devices that count the tries. */
export const numericGenerator: Generator<NumericOptions> = {
  name: "numeric",
  describe: "decimal digits, such as a PIN",
  optionHelp: ["length=8 (4 to 1024)"],
  options: z.strictObject({ length: z.int().min(4).max(1024).default(8) }),
  generate: async ({ length }, { random }) => Secret.text(randomIndexes(length, 10, random).join("")),
  strength: ({ length }) => ({ kind: "entropy", bits: length * Math.log2(10) }),
};
