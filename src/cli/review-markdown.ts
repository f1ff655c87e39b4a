import type { Report } from "../review/report.ts";
import { markdownCode, markdownForeign, markdownText } from "./markdown.ts";
import type { Cell, ReviewPage, Section } from "./review-page.ts";

/** Most characters of a comment on GitHub. */
export const maxMarkdownChars = 65_536;
/** How many rows a table may have, tried one after the other until the whole fits. */
const rowLimits = [Infinity, 400, 200, 100, 50, 25, 10, 5, 2] as const;

/** By this line, the first of every report, a workflow finds its comment again. */
export const reviewMarker = "<!-- sealtree review -->";
const icons = { blocked: "⛔", attention: "⚠️", fine: "✅" } as const;

/**
 * The report as Markdown for a comment on GitHub, of at most {@link maxMarkdownChars} characters:
 * long lists are cut, and say so. Nothing that somebody wrote becomes markup, a link or a mention.
 */
export function printReviewMarkdown(report: Report, page: ReviewPage): string {
  for (const limit of rowLimits) {
    const text = print(report, page, limit);
    if (text.length <= maxMarkdownChars) return text;
  }
  return cutOff(print(report, page, 1));
}

function print(report: Report, page: ReviewPage, limit: number): string {
  const reasons = report.reasons.map(
    ({ level, text }) => `- ${level === "error" ? icons.blocked : icons.attention} ${markdownText(text)}`,
  );
  return [
    reviewMarker,
    `## ${icons[report.verdict]} ${markdownText(page.title)}`,
    "",
    `**${printCell(page.summary)}**`,
    ...(reasons.length === 0 ? [] : ["", ...reasons]),
    ...report.warnings.flatMap((warning) => ["", `_${markdownText(warning)}_`]),
    ...page.sections.flatMap((section) => ["", ...printSection(section, limit)]),
    "",
    `<sub>${markdownText(page.footer)}</sub>`,
    "",
  ].join("\n");
}

function printSection({ title, isFolded, lead, bullets = [], table }: Section, limit: number): string[] {
  const body = [
    ...(lead === undefined ? [] : [printCell(lead), ""]),
    ...bullets.slice(0, limit).map((bullet) => `- ${printCell(bullet)}`),
    ...sayMore(bullets.length - limit),
    ...(table === undefined ? [] : printTable(table, limit)),
  ];
  return isFolded
    ? [`<details><summary>${markdownText(title)}</summary>`, "", ...body, "", "</details>"]
    : [`### ${markdownText(title)}`, "", ...body];
}

function printTable({ head, rows }: NonNullable<Section["table"]>, limit: number): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(head.map(markdownText)),
    line(head.map((_, column) => (rows.every((row) => /^\d*$/.test(plain(row[column]))) ? "---:" : "---"))),
    ...rows.slice(0, limit).map((row) => line(row.map(printCell))),
    ...sayMore(rows.length - limit),
  ];
}

function sayMore(left: number): string[] {
  return left > 0 ? ["", `_and ${left} more: \`sealtree review --html\` shows all_`, ""] : [];
}

function printCell(cell: Cell): string {
  return cell
    .map((span) =>
      typeof span === "string"
        ? markdownText(span)
        : "code" in span
          ? markdownCode(span.code)
          : markdownForeign(span.from),
    )
    .join("");
}

function plain(cell: Cell = []): string {
  return cell.map((span) => (typeof span === "string" ? span : "x")).join("");
}

/** For what is too long with a row a table: whole lines, and every fold closed. */
function cutOff(text: string): string {
  const notice = "\n_Cut here, since a comment can hold no more: `sealtree review --html` shows all._\n";
  const room = maxMarkdownChars - notice.length - 100;
  const kept = text.slice(0, text.lastIndexOf("\n", room));
  const open = kept.split("<details>").length - kept.split("</details>").length;
  return `${kept}\n${"\n</details>\n".repeat(Math.max(0, open))}${notice}`;
}
