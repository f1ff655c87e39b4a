import type { RandomSource } from "../crypto/random.ts";
import type { Entries } from "./entries.ts";
import { environmentTexts } from "./environment-text.ts";

/**
 * `NAME<<delimiter` blocks for the file `$GITHUB_ENV` names. Every value has a random
 * delimiter that it does not hold, so no value can end its block and set another variable
 * (GitHub, Workflow commands, Multiline strings).
 */
export function printGithub(entries: Entries, random: RandomSource): string {
  return environmentTexts(entries, "github")
    .map(({ variable, text }) => {
      const delimiter = findDelimiter(text, random);
      return `${variable}<<${delimiter}\n${text}\n${delimiter}\n`;
    })
    .join("");
}

function findDelimiter(text: string, random: RandomSource): string {
  for (let attempt = 0; attempt < 8; attempt++) {
    const delimiter = `sealtree_${Buffer.from(random(16)).toString("hex")}`;
    if (!text.includes(delimiter)) return delimiter;
  }
  throw new Error("the random source repeats itself");
}
