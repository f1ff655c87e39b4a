import type { ZodType } from "zod";
import type { RandomSource } from "../../crypto/random.ts";
import { SealtreeError } from "../../errors.ts";
import type { Secret } from "../../secret/secret.ts";

/** What a new value is made from. A session has both. */
export interface ValueSources {
  readonly random: RandomSource;
  now(): Date;
}

/** How hard it is to find a value that a generator made. */
export interface Strength {
  /**
   * `entropy`: the base-2 logarithm of the number of values, which are all equally likely.
   * `security`: what the best attack on the public half takes, on a classical computer, as
   * NIST SP 800-57 part 1 counts it; there are far more private keys than that.
   */
  readonly kind: "entropy" | "security";
  readonly bits: number;
}

/** A way to make a new value. */
export interface Generator<Options> {
  readonly name: string;
  /** What it makes, in a few words. */
  readonly describe: string;
  /** Each option with its default and bounds, for help and errors. */
  readonly optionHelp: readonly string[];
  /** Strict: an option of another name is an issue. Fills in the defaults. */
  readonly options: ZodType<Options>;
  /**
   * Options that are `text`, whatever they look like, or a `list` of texts. In a spec that is
   * written as one text, all others are numbers, booleans or words.
   */
  readonly textOptions?: Readonly<Record<string, "text" | "list">>;
  /** A new value, uniform over all that `options` allow, made of `sources` alone unless the generator says otherwise. */
  generate(options: Options, sources: ValueSources): Promise<Secret>;
  strength(options: Options): Strength;
  /** Left out when nothing of the value is public. */
  readonly publicHalf?: PublicHalfMaker<Options>;
}

/**
 * The public half of a value that a generator made, now or long ago: text that ends with a
 * newline. `madeAt` is when the value was made. Throws {@link unfitValue} when the value has no
 * public half of this kind.
 */
export type PublicHalfMaker<Options> = (value: string, options: Options, madeAt: Date) => Promise<string>;

/** E_VALUE_UNFIT for a value that is not `what`, without a word of it. */
export function unfitValue(what: string): SealtreeError {
  return new SealtreeError("E_VALUE_UNFIT", `the value is not ${what}, so it has no public half`, {
    hints: ["the rule says public beside a generator; let that make the value, or take public out of the rule"],
  });
}
