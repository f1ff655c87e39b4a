import { readAccessMatrix, type AccessMatrix } from "../../access/access-matrix.ts";
import { loadPolicy } from "../../access/policy.ts";
import { isScopePattern } from "../../access/scope-pattern.ts";
import { SealtreeError } from "../../errors.ts";
import { lettersLegend, printLetters } from "../access-letters.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { table } from "../present.ts";
import { safeText } from "../safe-text.ts";

const formats = ["text", "html"] as const;

export const accessMatrix: CommandModule = {
  arguments: "[patterns...]",
  kind: "read",
  description:
    "Draws who may do what where by the policy: a row a scope, a column a member. Patterns choose scopes, as in the policy. Needs no key.",
  options: [{ flags: "--format <format>", description: "text, or html for a page of its own" }],
  examples: [
    { command: "sealtree access matrix 'prod/**'", description: "everybody in production" },
    { command: "sealtree access matrix --format html > access.html", description: "a page for the audit" },
  ],
  json: '{"members": [{"name", "kind": "person"|"machine", "is_admin": boolean}], "scopes": [{"scope", "allowed": {member: [action]}}], "recovery": [name]}',
  async run(context, patterns, options) {
    context.about({ operation: "access matrix" });
    const format = formats.find((known) => known === (options["format"] ?? "text"));
    if (format === undefined)
      throw new SealtreeError("E_USAGE", "there is no such format", { hints: ["--format text or --format html"] });
    if (!patterns.every(isScopePattern))
      throw new SealtreeError("E_USAGE", "that is not a scope pattern", {
        hints: ["such as prod/** or '!prod/admin/**'"],
      });
    const tree = await context.tree();
    const matrix = await readAccessMatrix(tree, await loadPolicy(tree), patterns.length === 0 ? ["**"] : patterns);
    if (context.options.json) printJson(context, matrix);
    else if (format === "html") context.line((await import("../access-matrix-html.ts")).printMatrixPage(matrix));
    else printText(context, matrix);
  },
};

function printJson(context: Context, { members, rows, recovery }: AccessMatrix): void {
  context.json({
    members: members.map(({ name, kind, isAdmin }) => ({ name, kind, is_admin: isAdmin })),
    scopes: rows.map(({ scope, cells }) => ({
      scope,
      allowed: Object.fromEntries(members.map(({ name }, index) => [name, cells[index] ?? []])),
    })),
    recovery,
  });
}

function printText(context: Context, { members, rows, recovery }: AccessMatrix): void {
  const head = ["", ...members.map(({ name, isAdmin }) => (isAdmin ? `${name}*` : name))];
  for (const line of table([head, ...rows.map(({ scope, cells }) => [scope, ...cells.map(printLetters)])]))
    context.line(safeText(line));
  context.say(`${lettersLegend}; * may change the policy`);
  if (recovery.length > 0) context.say(`every scope is also wrapped to ${recovery.join(", ")}`);
}
