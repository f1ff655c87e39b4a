import type { Report } from "../review/report.ts";
import { withoutRunnerCommands } from "../review/print-findings.ts";
import { escapeHtml, printHtmlPage } from "./html.ts";
import type { Cell, ReviewPage, Section } from "./review-page.ts";
import { safeText } from "./safe-text.ts";

const style = `
body { max-width: 68rem; margin: 2rem auto; padding: 0 1.5rem; }
.verdict { border-left: 6px solid var(--tone); background: var(--tint); border-radius: 6px; padding: 1rem 1.3rem; margin-bottom: 1.5rem; }
.blocked { --tone: light-dark(#cf222e, #f85149); --tint: light-dark(#ffebe9, #2d1416); }
.attention { --tone: light-dark(#bf8700, #d29922); --tint: light-dark(#fff8c5, #272115); }
.fine { --tone: light-dark(#1a7f37, #3fb950); --tint: light-dark(#dafbe1, #12261e); }
.verdict p { color: CanvasText; margin: 0; }
.verdict ul { margin: .7rem 0 0; padding-left: 1.2rem; }
.error { color: light-dark(#cf222e, #f85149); font-weight: 600; }
h2, summary { font-size: 1rem; font-weight: 600; margin: 1.6rem 0 .5rem; }
summary { cursor: pointer; margin: .8rem 0; }
summary small { color: var(--dim); font-weight: 400; }
ul { margin: 0; padding-left: 1.2rem; }
li { margin: .15rem 0; }
code { font: .92em ui-monospace, monospace; background: light-dark(#eff1f3, #22272e); border-radius: 4px; padding: .1em .3em; overflow-wrap: break-word; }
main { overflow-x: auto; }
table { width: 100%; }
time { white-space: nowrap; }
thead th { font-weight: 600; color: var(--dim); font-size: 12px; }
td { font: inherit; text-align: left; white-space: normal; vertical-align: top; }
td.number, th.number { text-align: right; width: 5rem; }
tbody tr:nth-child(even) { background: light-dark(#f6f8fa, #161b22); }
footer { color: var(--dim); margin-top: 2.5rem; font-size: 12px; }
@media print { details > * { display: revert; } }
`;

/** The report as a page that loads nothing and runs nothing. */
export function printReviewHtml(report: Report, page: ReviewPage): string {
  const reasons = report.reasons.map(
    ({ level, text }) => `<li${level === "error" ? ' class="error"' : ""}>${escape(text)}</li>`,
  );
  return printHtmlPage(
    page.title,
    [
      `<main>`,
      `<section class="verdict ${report.verdict}">`,
      `<h1>${escape(page.title)}</h1>`,
      `<p>${printCell(page.summary)}</p>`,
      ...(reasons.length === 0 ? [] : [`<ul>`, ...reasons, `</ul>`]),
      `</section>`,
      ...report.warnings.map((warning) => `<p>${escape(warning)}</p>`),
      ...page.sections.flatMap(printSection),
      `</main>`,
      `<footer>${escape(page.footer)}</footer>`,
    ].join("\n"),
    style,
  );
}

function printSection({ title, isFolded, lead, bullets = [], table }: Section): string[] {
  const body = [
    ...(lead === undefined ? [] : [`<p>${printCell(lead)}</p>`]),
    ...(bullets.length === 0 ? [] : ["<ul>", ...bullets.map((bullet) => `<li>${printCell(bullet)}</li>`), "</ul>"]),
    ...(table === undefined ? [] : printTable(table)),
  ];
  return isFolded
    ? [`<details><summary>${escape(title)}</summary>`, ...body, "</details>"]
    : [`<h2>${escape(title)}</h2>`, ...body];
}

function printTable({ head, rows }: NonNullable<Section["table"]>): string[] {
  const numbers = head.map((_, column) => rows.every((row) => (row[column] ?? []).every(isNumber)));
  const mark = (column: number) => (numbers[column] === true ? ' class="number"' : "");
  return [
    "<table>",
    `<thead><tr>${head.map((text, column) => `<th scope="col"${mark(column)}>${escape(text)}</th>`).join("")}</tr></thead>`,
    "<tbody>",
    ...rows.map(
      (row) => `<tr>${row.map((cell, column) => `<td${mark(column)}>${printCell(cell)}</td>`).join("")}</tr>`,
    ),
    "</tbody>",
    "</table>",
  ];
}

function isNumber(span: Cell[number]): boolean {
  return typeof span === "string" && /^\d*$/.test(span);
}

function printCell(cell: Cell): string {
  return cell
    .map((span) => {
      // A hyphen is where a line may end, and a date is read in one piece.
      if (typeof span === "string") return escape(span).replaceAll(/\b\d{4}-\d\d-\d\d\b/g, "<time>$&</time>");
      return "code" in span ? `<code>${escape(span.code)}</code>` : escape(span.from);
    })
    .join("");
}

function escape(text: string): string {
  return escapeHtml(withoutRunnerCommands(safeText(text)));
}
