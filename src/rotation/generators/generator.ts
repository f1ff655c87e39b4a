import type { ZodType } from "zod";
import type { RandomSource } from "../../crypto/random.ts";
import type { Secret } from "../../secret/secret.ts";

/** A way to make a new value. Pure over its random source. */
export interface Generator<Options> {
  readonly name: string;
  /** What it makes, in a few words. */
  readonly describe: string;
  /** Each option with its default and bounds, for help and errors. */
  readonly optionHelp: readonly string[];
  /** Strict: an option of another name is an issue. Fills in the defaults. */
  readonly options: ZodType<Options>;
  /** A new value, drawn uniformly from all that `options` allow. */
  generate(options: Options, random: RandomSource): Secret;
  /** Base-2 logarithm of the number of values that {@link Generator.generate} can give. */
  entropyBits(options: Options): number;
}
