import type { Entries } from "./entries.ts";
import { environmentTexts, unfitError } from "./environment-text.ts";

const bare = /^[A-Za-z0-9_./:@%+,=-]+$/;

/**
 * `NAME=value` lines for `env_file:` of Docker Compose, which unlike `docker run` has quotes and puts
 * variables in. In single quotes a value is taken as it stands, over several lines too. Its
 * versions read escapes in different ways, so none is written. Throws E_VALUE_UNFIT for a value that would
 * need one, and for a carriage return.
 */
export function printCompose(entries: Entries): string {
  return environmentTexts(entries, "compose")
    .map(({ name, variable, text }) => {
      if (text.includes("\r")) throw unfitError(name, "compose", "it has a carriage return");
      if (bare.test(text)) return `${variable}=${text}\n`;
      if (text.endsWith("\\")) throw unfitError(name, "compose", "it ends with a backslash");
      if (!text.includes("'")) return `${variable}='${text}'\n`;
      if (!/["$\\]/.test(text)) return `${variable}="${text}"\n`;
      throw unfitError(name, "compose", "it has a single quote beside a double quote, a dollar sign or a backslash");
    })
    .join("");
}
