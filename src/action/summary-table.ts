import { markdownForeign } from "../cli/markdown.ts";

/** A table for a job summary, its cells text that somebody wrote, shown as it is; nothing when there are no rows. */
export function summaryTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return ["", line(head), line(head.map(() => "---")), ...rows.map((cells) => line(cells.map(markdownForeign)))];
}
