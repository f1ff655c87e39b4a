import { planMigration } from "../migrate/migration.ts";
import { nextSteps } from "../migrate/next-steps.ts";
import type { ScopePath } from "../secret/address.ts";
import { usageError } from "../errors.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { planImport, type ImportRequest } from "../values/import-values.ts";
import type { Context } from "./context.ts";
import { migrationLines, migrationMarkdown, type MigrationOutcome } from "./migration-text.ts";
import { parseSystem, readSource } from "./migration-source.ts";
import { count } from "./present.ts";
import { auditWrite, sayDrops } from "./report-write.ts";
import { applyImport } from "./write-import.ts";

/**
 * Moves all that a source holds into a scope, or nothing: names are decided and the plan is shown
 * before it asks, one commit is made, and every value is read back from it and compared before the
 * report says so.
 */
export async function writeMigration(
  context: Context,
  scope: ScopePath,
  place: string | undefined,
  options: Readonly<Record<string, unknown>>,
  mode: ImportRequest["mode"],
): Promise<void> {
  const system = parseSystem(options["from"]);
  const contents = await readSource(context, system, place, options);
  const { request, report } = planMigration(contents, {
    system,
    scope,
    names: { prefix: textOption(options["prefix"]), dots: parseDots(options["dots"]) },
    keepsPrivateComments: options["comments"] === true,
    mode,
  });
  const { io, session } = context;
  const { change, summary } = await planImport(session, openWorkTree(context.place().root), request);
  if (!context.options.yes && !context.options.dryRun) {
    for (const line of migrationLines(report, { state: "planned", commit: undefined }, io.stderr)) context.say(line);
    const { added, changed, removed, unchanged } = summary;
    context.say(
      `${added.length} to add, ${changed.length} to change, ${removed.length} to remove, ${unchanged.length} the same`,
    );
    if (added.length + changed.length + removed.length > 0) await context.confirm(`write this to ${scope}?`);
  }
  const { outcome, verified } = await applyImport(context, request, change, "import");
  if (!context.options.dryRun) await auditWrite(context, outcome, { operation: "import", kind: "written" });
  const state = context.options.dryRun ? "planned" : verified > 0 ? "verified" : "written";
  const became: MigrationOutcome = { state, commit: outcome.commit };
  if (context.options.json) {
    const lists = outcome.result[0] ?? summary;
    context.json({
      ...lists,
      from: system,
      values: report.values,
      left_out: report.leftOut,
      next: nextSteps(system, scope),
      verified,
      commit: outcome.commit ?? null,
      dry_run: context.options.dryRun,
    });
    return;
  }
  if (options["markdown"] === true) for (const line of migrationMarkdown(report, became)) context.line(line);
  else for (const line of migrationLines(report, became, io.stderr)) context.say(line);
  const drops = outcome.result.flatMap((written) => written.drops).length;
  if (drops > 0) context.say(sayDrops(scope, drops));
  if (outcome.commit !== undefined) context.say(`committed ${outcome.commit.slice(0, 9)}`);
  if (verified > 0) context.say(`read back and compared: ${count(verified, "value")}`);
}

function parseDots(option: unknown): "keep" | "underscore" {
  if (option === undefined || option === "keep") return "keep";
  if (option === "underscore") return "underscore";
  throw usageError("--dots is keep or underscore", "keep is a.b.0; underscore is a_b_0");
}

function textOption(option: unknown): string {
  return typeof option === "string" ? option : "";
}
