import type { Entries } from "./entries.ts";
import { environmentTexts, unfitError } from "./environment-text.ts";

/** Longest line docker reads, in bytes without the newline (Go bufio.MaxScanTokenSize). */
const maxLineBytes = 64 * 1024 - 1;

/**
 * `NAME=value` lines for `docker run --env-file`, which has no quoting: a line is taken as
 * it stands. Throws E_VALUE_UNFIT for a line break or a line of more than 64 KiB.
 */
export function printDocker(entries: Entries): string {
  return environmentTexts(entries, "docker")
    .map(({ name, variable, text }) => {
      const line = `${variable}=${text}`;
      if (/[\r\n]/.test(text)) throw unfitError(name, "docker", "it has a line break");
      if (Buffer.byteLength(line) > maxLineBytes) throw unfitError(name, "docker", "it is longer than 64 KiB");
      return `${line}\n`;
    })
    .join("");
}
