import type { RandomSource } from "../../crypto/random.ts";
import type { Secret } from "../../secret/secret.ts";
import { generateRotator } from "./generate.ts";
import { manualRotator } from "./manual.ts";
import type { Rotator } from "./rotator.ts";

/** Every rotator by the name that a rule gives. */
const rotators = {
  generate: generateRotator,
  manual: manualRotator,
} as const satisfies Readonly<Record<string, Rotator<unknown>>>;

export type RotatorName = keyof typeof rotators;

/** What a rule wrote down for its rotator. */
export type WrittenOptions = Readonly<Record<string, unknown>>;

/** The names in {@link rotators}. */
export const rotatorNames = Object.keys(rotators) as RotatorName[];

/** What is wrong with the options of a rotator; undefined when nothing is. */
export function findOptionsProblem(name: RotatorName, written: WrittenOptions): string | undefined {
  const [issue] = rotators[name].options.safeParse(written).error?.issues ?? [];
  return issue?.code === "unrecognized_keys" ? `the rotator ${name} does not have that option` : issue?.message;
}

/** What makes new values as the checked options say; undefined when no program can. */
export function bindRotator(
  name: RotatorName,
  written: WrittenOptions,
): ((random: RandomSource) => Secret) | undefined {
  const rotator: Rotator<unknown> = rotators[name];
  const generate = rotator.generate?.bind(rotator);
  if (generate === undefined) return undefined;
  const options = rotator.options.parse(written);
  return (random) => generate(options, random);
}
