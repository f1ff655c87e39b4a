import type { AccessMatrix } from "../access/access-matrix.ts";
import type { Action } from "../access/policy-schema.ts";
import { lettersLegend, printLetters } from "./access-letters.ts";
import { escapeHtml, printHtmlPage } from "./html.ts";

/** The matrix as a page: a row a scope, a column a member. */
export function printMatrixPage({ members, rows, recovery }: AccessMatrix): string {
  const heads = members.map(({ name, kind, isAdmin }) => {
    const notes = [...(kind === "machine" ? ["machine"] : []), ...(isAdmin ? ["admin"] : [])];
    return `<th scope="col">${escapeHtml(name)}${notes.length === 0 ? "" : `<br><small>${notes.join(", ")}</small>`}</th>`;
  });
  const lines = rows.map(
    ({ scope, cells }) => `<tr><th scope="row">${escapeHtml(scope)}</th>${cells.map(printCell).join("")}</tr>`,
  );
  const wrapped = recovery.length === 0 ? "" : ` Every scope is also wrapped to: ${escapeHtml(recovery.join(", "))}.`;
  return printHtmlPage(
    "Who may do what",
    [
      "<h1>Who may do what</h1>",
      `<p>${escapeHtml(lettersLegend)}.${wrapped}</p>`,
      "<table>",
      `<thead><tr><th scope="col">scope</th>${heads.join("")}</tr></thead>`,
      `<tbody>\n${lines.join("\n")}\n</tbody>`,
      "</table>",
    ].join("\n"),
  );
}

function printCell(allowed: readonly Action[]): string {
  const title = allowed.length === 0 ? "nothing" : allowed.join(", ");
  return `<td class="${allowed.length === 0 ? "none" : "some"}" title="${title}">${printLetters(allowed)}</td>`;
}
