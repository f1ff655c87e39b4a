import type { SealtreeError } from "../errors.ts";
import { printAddress, type ScopePath } from "../secret/address.ts";
import type { RotatedScope } from "../rotation/rotate.ts";
import type { NotRotated, Urgency } from "../rotation/select.ts";
import { auditFailure } from "./audit-failure.ts";
import type { Context } from "./context.ts";
import { count } from "./present.ts";
import { auditWrite, sayDrops } from "./report-write.ts";

export interface RotationReport {
  readonly scopes: readonly RotatedScope[];
  readonly notRotated: readonly NotRotated[];
  readonly unreadable: readonly { readonly scope: ScopePath; readonly error: SealtreeError }[];
  /** Secrets of the repository that no rule names. */
  readonly withoutRule: number;
  readonly urgency: Urgency;
}

/** Says what a rotation did and what it could not do, on stderr or as JSON, and audits both. */
export async function reportRotation(context: Context, report: RotationReport): Promise<void> {
  for (const { scope, outcome, error } of [
    ...report.scopes,
    ...report.unreadable.map((it) => ({ ...it, outcome: undefined })),
  ]) {
    context.about({ operation: "rotate", scope });
    if (error !== undefined) auditFailure(context, error);
    if (outcome === undefined || context.options.dryRun) continue;
    await auditWrite(context, outcome, {
      operation: "rotate",
      kind: report.urgency === "emergency" ? "emergencyRotation" : "rotated",
    });
  }
  if (context.options.json) printJson(context, report);
  else printWords(context, report);
}

function printJson(context: Context, { scopes, notRotated, unreadable, withoutRule }: RotationReport): void {
  context.json({
    rotated: listRotated(scopes),
    not_rotated: listNotRotated(scopes, notRotated),
    unreadable: unreadable.map(({ scope, error }) => ({ scope, code: error.code, message: error.message })),
    without_rule: withoutRule,
    dry_run: context.options.dryRun,
  });
}

function printWords(context: Context, { scopes, notRotated, unreadable, withoutRule }: RotationReport): void {
  const rotated = listRotated(scopes);
  const verb = context.options.dryRun ? "would rotate" : "rotated";
  for (const { address, commit } of rotated)
    context.say(`${verb} ${address}${commit === null ? "" : ` in ${commit.slice(0, 9)}`}`);
  for (const { scope, drops } of scopes.flatMap(({ outcome }) => outcome?.result ?? []))
    if (drops.length > 0) context.say(sayDrops(scope, drops.length));
  for (const { address, reason, needed } of listNotRotated(scopes, notRotated)) {
    context.say(`${needed ? context.paint("red", "not rotated") : "not rotated"} ${address}: ${reason}`);
  }
  for (const { scope, error } of unreadable) context.say(`not rotated ${scope}: ${error.message}`);
  if (rotated.length === 0 && scopes.length + notRotated.length + unreadable.length === 0)
    context.say("nothing to rotate");
  if (withoutRule > 0) context.say(`${count(withoutRule, "secret")} without a rule: sealtree rotation status`);
}

function listRotated(scopes: readonly RotatedScope[]) {
  return scopes.flatMap(({ rotations, outcome }) =>
    outcome === undefined
      ? []
      : rotations.map(({ entry }) => ({ address: printAddress(entry.address), commit: outcome.commit ?? null })),
  );
}

function listNotRotated(scopes: readonly RotatedScope[], notRotated: readonly NotRotated[]) {
  const failed = scopes.flatMap(({ rotations, error }) =>
    error === undefined
      ? []
      : rotations.map(({ entry }) => ({ address: printAddress(entry.address), reason: error.message, needed: true })),
  );
  return [
    ...failed,
    ...notRotated.map(({ entry, reason, isNeeded }) => ({
      address: printAddress(entry.address),
      reason,
      needed: isNeeded,
    })),
  ];
}
