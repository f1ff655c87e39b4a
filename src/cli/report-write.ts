import type { AuditKind } from "../audit/codes.ts";
import type { WriteOutcome } from "../store/write.ts";
import type { ChangeSummary } from "../values/change-scope.ts";
import type { Context } from "./context.ts";
import { count } from "./present.ts";

export interface WriteReport {
  /** For the audit log and the words, such as `set`. */
  readonly operation: string;
  /** Event of a value that was added or changed. */
  readonly kind: AuditKind;
}

/** Says what a write did, on stderr or as JSON, and puts one event a secret into the audit log. */
export async function reportWrite(
  context: Context,
  outcome: WriteOutcome<readonly ChangeSummary[]>,
  report: WriteReport,
): Promise<void> {
  if (!context.options.dryRun) await auditWrite(context, outcome, report);
  if (context.options.json) {
    const scopes = outcome.result.map((summary) => ({ ...summary }));
    const tail = { commit: outcome.commit ?? null, dry_run: context.options.dryRun };
    context.json(scopes.length === 1 ? { ...scopes[0], ...tail } : { scopes, ...tail });
    return;
  }
  for (const summary of outcome.result) for (const line of describe(context, summary)) context.say(line);
  if (outcome.commit !== undefined) context.say(`committed ${outcome.commit.slice(0, 9)}`);
}

function describe(context: Context, { scope, added, changed, unchanged, removed, drops }: ChangeSummary): string[] {
  const would = context.options.dryRun ? "would " : "";
  const lists = [
    [context.options.dryRun ? "add" : "added", added],
    [context.options.dryRun ? "change" : "changed", changed],
    [context.options.dryRun ? "remove" : "removed", removed],
    ["unchanged:", unchanged],
  ] as const;
  const lines = lists
    .filter(([, names]) => names.length > 0)
    .map(([verb, names]) => {
      const what = names.length <= 3 ? names.join(", ") : count(names.length, "secret");
      return verb === "unchanged:" ? `unchanged: ${what} in ${scope}` : `${would}${verb} ${what} in ${scope}`;
    });
  return drops.length === 0 ? lines : [...lines, sayDrops(scope, drops.length)];
}

/** What a member who may not read must know of what was just written. */
export function sayDrops(scope: string, amount: number): string {
  return amount === 1
    ? `sealed as a drop, since you may not read ${scope}: a reader adopts it with sealtree adopt ${scope}`
    : `sealed as ${amount} drops, since you may not read ${scope}: a reader adopts them with sealtree adopt ${scope}`;
}

/** Puts one event for each secret that a write changed into the audit log. */
export async function auditWrite(
  context: Context,
  outcome: WriteOutcome<readonly ChangeSummary[]>,
  report: WriteReport,
): Promise<void> {
  const { findMember } = await import("../access/permission.ts");
  const { loadPolicy } = await import("../access/policy.ts");
  const { openWorkTree } = await import("../store/work-tree.ts");
  const policy = await loadPolicy(openWorkTree(context.place().root));
  const member = (await findMember(policy, await context.session.identities()))?.name;
  const { operation } = report;
  const common = {
    operation,
    member,
    knownBy: "identity",
    reason: context.options.note,
    commit: outcome.commit,
  } as const;
  context.audit(
    outcome.result.flatMap(({ scope, added, changed, removed, missing }) => [
      ...[...added, ...changed].map((name) => ({ ...common, kind: report.kind, scope, name, outcome: "ok" as const })),
      ...removed.map((name) => ({ ...common, kind: "deleted" as const, scope, name, outcome: "ok" as const })),
      ...missing.map((name) => ({
        ...common,
        kind: "deleteOfMissing" as const,
        scope,
        name,
        outcome: "refused" as const,
      })),
    ]),
  );
}
