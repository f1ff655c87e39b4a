import { openWorkTree } from "../store/work-tree.ts";
import type { WriteOutcome } from "../store/write.ts";
import type { ChangeSummary, ScopeChange } from "../values/change-scope.ts";
import { planImport, verifyImport, type ImportRequest } from "../values/import-values.ts";
import { writeValues } from "../values/write-values.ts";
import type { Context } from "./context.ts";
import { count } from "./present.ts";
import { reportWrite } from "./report-write.ts";

const maxListed = 40;

/**
 * Shows what an import would do and asks, writes it in one commit, reads every value back
 * from what was written, and only then says that it is done. Drops cannot be read back by who
 * made them.
 */
export async function writeImport(
  context: Context,
  request: ImportRequest,
  { verb, asks }: { readonly verb: string; readonly asks: boolean },
): Promise<void> {
  const { session, options } = context;
  const { root } = context.place();
  const { change, summary } = await planImport(session, openWorkTree(root), request);
  if (asks && !options.yes && !options.dryRun) {
    for (const line of describePlan(summary)) context.say(line);
    if (summary.added.length + summary.changed.length + summary.removed.length > 0) {
      await context.confirm(`write this to ${request.scope}?`);
    }
  }
  const { outcome, verified } = await applyImport(context, request, change, verb);
  await reportWrite(context, outcome, { operation: verb, kind: "written" });
  if (verified > 0 && !options.json) context.say(`read back and compared: ${count(verified, "value")}`);
}

/** What an import did, and how many values were read back and compared: all of them, or none. */
export interface ImportOutcome {
  readonly outcome: WriteOutcome<readonly ChangeSummary[]>;
  readonly verified: number;
}

/** Writes a planned import in one commit and compares every value with what was written; says nothing. */
export async function applyImport(
  context: Context,
  request: ImportRequest,
  change: ScopeChange,
  verb: string,
): Promise<ImportOutcome> {
  const { session, options } = context;
  const outcome = await writeValues(session, { ...options, verb, reason: "import", note: options.note }, () =>
    Promise.resolve([change]),
  );
  const hasDrops = outcome.result.some(({ drops }) => drops.length > 0);
  if (options.dryRun || hasDrops) return { outcome, verified: 0 };
  await verify(context, request, outcome.commit);
  return { outcome, verified: request.entries.size };
}

/** Reads the commit where there is one: nobody can have written over it since. */
async function verify(context: Context, request: ImportRequest, commit: string | undefined): Promise<void> {
  if (commit === undefined) {
    await verifyImport(context.session, openWorkTree(context.place().root), request);
    return;
  }
  const { openCommitTree } = await import("../store/commit-tree.ts");
  const tree = await openCommitTree(context.place(), commit);
  try {
    await verifyImport(context.session, tree, request);
  } finally {
    tree.close();
  }
}

function describePlan({ scope, added, changed, unchanged, removed }: ChangeSummary): string[] {
  const rows = [
    ...added.map((name) => `  add     ${name}`),
    ...changed.map((name) => `  change  ${name}`),
    ...removed.map((name) => `  remove  ${name}`),
  ];
  const more = rows.length > maxListed ? [`  and ${rows.length - maxListed} more`] : [];
  return [`${scope}: ${count(unchanged.length, "value")} unchanged`, ...rows.slice(0, maxListed), ...more];
}
