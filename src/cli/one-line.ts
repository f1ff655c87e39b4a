import { withoutRunnerCommands } from "../review/print-findings.ts";
import { safeText } from "./safe-text.ts";

/**
 * {@link safeText} on one line, with nothing in it that a runner takes for a command: a file's
 * name may hold a line break, and a commit's subject whatever its writer liked.
 */
export function oneLine(text: string): string {
  return withoutRunnerCommands(safeText(text).replaceAll("\n", "\\u{a}"));
}
