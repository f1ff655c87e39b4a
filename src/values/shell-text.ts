import type { Entries } from "./entries.ts";
import { environmentTexts } from "./environment-text.ts";

/**
 * `export NAME='...'` lines for any POSIX shell. Single quotes hold every character but
 * themselves (POSIX.1-2024, Shell Command Language 2.2.2), so nothing in a value is run.
 */
export function printShell(entries: Entries): string {
  return environmentTexts(entries, "shell")
    .map(({ variable, text }) => `export ${variable}='${text.replaceAll("'", "'\\''")}'\n`)
    .join("");
}
