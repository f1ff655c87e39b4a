import { z } from "zod";
import type { RandomSource } from "../../crypto/random.ts";
import { Secret } from "../../secret/secret.ts";
import type { Generator } from "./generator.ts";
import { randomIndexes } from "./uniform.ts";

export interface PasswordOptions {
  /** Characters in the password. */
  readonly length: number;
  readonly lower: boolean;
  readonly upper: boolean;
  readonly digits: boolean;
  readonly symbols: boolean;
  /** False leaves out the characters that people mix up: I, l, 1, O, o and 0. */
  readonly ambiguous: boolean;
}

/**
 * The symbols need no escape in a URL's user part (RFC 3986 section 3.2.1), in JSON, or inside
 * the quotes of any shell or configuration file.
 */
const classes = {
  lower: "abcdefghijklmnopqrstuvwxyz",
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  digits: "0123456789",
  symbols: "!*,-.=_~",
} as const;

const ambiguousCharacters = /[Il1Oo0]/g;
const classNames = ["lower", "upper", "digits", "symbols"] as const;

/** A password with at least one character of each class, uniform over all such passwords. */
export const passwordGenerator: Generator<PasswordOptions> = {
  name: "password",
  describe: "a password with at least one character of each class",
  optionHelp: [
    "length=32 (20 to 1024)",
    "lower=true",
    "upper=true",
    "digits=true",
    "symbols=true",
    "ambiguous=true (false leaves out I l 1 O o 0)",
  ],
  options: z
    .strictObject({
      length: z.int().min(20).max(1024).default(32),
      lower: z.boolean().default(true),
      upper: z.boolean().default(true),
      digits: z.boolean().default(true),
      symbols: z.boolean().default(true),
      ambiguous: z.boolean().default(true),
    })
    .refine((options) => classNames.some((name) => options[name])),
  generate: async (options, { random }) => Secret.text(drawPassword(chosenClasses(options), options.length, random)),
  strength: (options) => ({ kind: "entropy", bits: passwordBits(chosenClasses(options), options.length) }),
};

function chosenClasses(options: PasswordOptions): string[] {
  return classNames
    .filter((name) => options[name])
    .map((name) => (options.ambiguous ? classes[name] : classes[name].replace(ambiguousCharacters, "")));
}

/** Draws whole passwords until one has every class, which keeps the valid ones equally likely. */
function drawPassword(chosen: readonly string[], length: number, random: RandomSource): string {
  const alphabet = chosen.join("");
  for (let attempt = 0; attempt < 1000; attempt++) {
    const password = randomIndexes(length, alphabet.length, random)
      .map((index) => alphabet.charAt(index))
      .join("");
    if (chosen.every((characters) => hasAny(password, characters))) return password;
  }
  throw new Error("the random source repeats itself");
}

function hasAny(password: string, characters: string): boolean {
  return Array.from(characters).some((character) => password.includes(character));
}

/** Counts the passwords that miss no class, by inclusion and exclusion over the missing ones. */
function passwordBits(chosen: readonly string[], length: number): number {
  const size = chosen.join("").length;
  const missing = chosen.reduce<{ size: number; sign: number }[]>(
    (subsets, characters) => [
      ...subsets,
      ...subsets.map((subset) => ({ size: subset.size + characters.length, sign: -subset.sign })),
    ],
    [{ size: 0, sign: 1 }],
  );
  const share = missing.reduce((total, subset) => total + subset.sign * ((size - subset.size) / size) ** length, 0);
  return length * Math.log2(size) + Math.log2(share);
}
