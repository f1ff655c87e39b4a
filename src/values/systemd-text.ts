import type { Entries } from "./entries.ts";
import { environmentTexts, unfitError } from "./environment-text.ts";

const bare = /^[A-Za-z0-9_./:@%+,=-]*$/;
const noncharacter = /\p{Noncharacter_Code_Point}/u;

/**
 * Lines for a unit's `EnvironmentFile=`. In double quotes a backslash escapes `"`, `\`, `$`
 * and the backtick, and line breaks are kept (systemd.exec(5), and its env-file.c).
 * Throws E_VALUE_UNFIT for Unicode noncharacters, which systemd takes for broken UTF-8.
 */
export function printSystemd(entries: Entries): string {
  return environmentTexts(entries, "systemd")
    .map(({ name, variable, text }) => {
      if (noncharacter.test(text)) throw unfitError(name, "systemd", "it has a Unicode noncharacter");
      return `${variable}=${bare.test(text) ? text : `"${text.replace(/["\\$`]/g, "\\$&")}"`}\n`;
    })
    .join("");
}
