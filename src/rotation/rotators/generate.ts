import { generateValue, type GeneratorSpec } from "../generator-spec.ts";
import type { Rotator } from "./rotator.ts";
import { generatorOptions } from "./value-spec.ts";

/** A random value; its options are a generator spec, such as `{kind: base64, bytes: 48}`. */
export const generateRotator: Rotator<GeneratorSpec> = {
  name: "generate",
  kind: "chosen",
  describe: "a random value, for a secret that only our own programs know",
  options: generatorOptions,
  generate: generateValue,
};
