import { z } from "zod";
import { Secret } from "../../secret/secret.ts";
import type { Generator } from "./generator.ts";
import { randomIndexes } from "./uniform.ts";

const separators = { hyphen: "-", dot: ".", underscore: "_", space: " ", none: "" } as const;

export interface PassphraseOptions {
  readonly words: number;
  readonly separator: keyof typeof separators;
  /** Whether each word begins with a capital. */
  readonly capitalize: boolean;
}

/** Words in the list, of which each is drawn on its own and may come again. */
const listSize = 6 ** 5;

/**
 * Words of the EFF's large list. Any two draws give different texts, whatever the options, so
 * all of the entropy is in the text: without a separator the capitals tell the words apart.
 */
export const passphraseGenerator: Generator<PassphraseOptions> = {
  name: "passphrase",
  describe: "words for people to remember, of the EFF's large list",
  optionHelp: [
    "words=8 (5 to 64)",
    "separator=hyphen (or dot, underscore, space, and none with capitalize)",
    "capitalize=false",
  ],
  options: z
    .strictObject({
      words: z.int().min(5).max(64).default(8),
      separator: z.enum(["hyphen", "dot", "underscore", "space", "none"]).default("hyphen"),
      capitalize: z.boolean().default(false),
    })
    .refine(({ separator, capitalize }) => separator !== "none" || capitalize),
  generate: async ({ words, separator, capitalize }, { random }) => {
    const { effLargeWordlist } = await import("./eff-large-wordlist.ts");
    const list = effLargeWordlist();
    const drawn = randomIndexes(words, listSize, random).map((index) => list[index] ?? "");
    const written = capitalize ? drawn.map((word) => word.charAt(0).toUpperCase() + word.slice(1)) : drawn;
    return Secret.text(written.join(separators[separator]));
  },
  strength: ({ words }) => ({ kind: "entropy", bits: words * Math.log2(listSize) }),
};
