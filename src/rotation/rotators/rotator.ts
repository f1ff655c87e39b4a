import type { ZodType } from "zod";
import type { RandomSource } from "../../crypto/random.ts";
import type { Secret } from "../../secret/secret.ts";

/**
 * Who makes the new value: `chosen`, we do; `minted`, the provider does and shows it once;
 * `rolled`, the provider does and the old one ends at once; `manual`, a person does.
 */
export type RotatorKind = "chosen" | "minted" | "rolled" | "manual";

/** A way to give a secret a new value. */
export interface Rotator<Options> {
  readonly name: string;
  readonly kind: RotatorKind;
  /** What it does, in a few words. */
  readonly describe: string;
  /** Checks `options` of a rule; an issue says what is wrong and never repeats an option's value. */
  readonly options: ZodType<Options>;
  /** A new value; left out when no program can make one. */
  generate?(options: Options, random: RandomSource): Secret;
}
