import type { Report } from "../review/report.ts";
import type { Context } from "./context.ts";
import { oneLine } from "./one-line.ts";
import { table } from "./present.ts";
import type { Cell, ReviewPage, Section } from "./review-page.ts";

/** Rows of a list that a terminal is given; the other forms have all. */
const maxRows = 60;
const colours = { blocked: "red", attention: "yellow", fine: "green" } as const;

/** Puts the report on stdout as text. */
export function printReviewText(context: Context, report: Report, page: ReviewPage): void {
  context.line(context.paint(colours[report.verdict], page.title));
  context.line(printCell(page.summary));
  for (const { level, text } of report.reasons)
    context.line(
      `  ${context.paint(level === "error" ? "red" : "yellow", level === "error" ? "!" : "*")} ${oneLine(text)}`,
    );
  for (const section of page.sections) printSection(context, section);
  context.say(page.footer);
  for (const warning of report.warnings) context.say(`sealtree: warning: ${warning}`);
}

function printSection(context: Context, section: Section): void {
  const { title, lead, bullets = [], table: list } = section;
  context.line("");
  context.line(context.paint("bold", oneLine(title)));
  if (lead !== undefined) context.line(`  ${printCell(lead)}`);
  for (const bullet of bullets.slice(0, maxRows)) context.line(`  ${printCell(bullet)}`);
  const rows = (list?.rows ?? []).slice(0, maxRows).map((row) => ["", ...row.map(printCell)]);
  const head = ["", ...(list?.head ?? []).map((text) => context.paint("dim", text))];
  if (rows.length > 0) for (const line of table([head, ...rows])) context.line(line);
  const left = Math.max(bullets.length, list?.rows.length ?? 0) - maxRows;
  if (left > 0) context.line(`  and ${left} more: --html or --json shows all`);
}

function printCell(cell: Cell): string {
  return oneLine(
    cell.map((span) => (typeof span === "string" ? span : "code" in span ? span.code : span.from)).join(""),
  );
}
