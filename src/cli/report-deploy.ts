import type { PreparedDeploy } from "../deploy/deploy.ts";
import type { LookedTarget } from "../deploy/run-targets.ts";
import type { TargetOutcome } from "../deploy/deploy-target.ts";
import type { Action, PlanStep } from "../deploy/plan.ts";
import type { TargetFailure } from "../deploy/target-job.ts";
import type { Context } from "./context.ts";
import { fitTable, type Column } from "./fit-table.ts";
import type { Style } from "./present.ts";
import { safeText } from "./safe-text.ts";

const styles: Readonly<Record<Action, Style>> = {
  create: "green",
  update: "yellow",
  same: "dim",
  conflict: "red",
  remove: "red",
  "left over": "yellow",
  blocked: "red",
};

/** Names that a plan writes or removes. */
export function listWrites(steps: readonly PlanStep[]): string[] {
  if (steps.some(({ action }) => action === "conflict")) return [];
  return steps.filter(({ action }) => ["create", "update", "remove"].includes(action)).map(({ name }) => name);
}

/** A table of everything that is not as it should be, by names; data, for stdout. */
export function sayPlan(context: Context, { targets }: PreparedDeploy): void {
  const rows = targets.flatMap(({ entry, job }) =>
    job.steps.filter(({ action }) => action !== "same").map((step) => ({ ...step, target: entry.name })),
  );
  const columns: readonly Column<(typeof rows)[number]>[] = [
    { head: "TARGET", cell: ({ target }) => target },
    { head: "ACTION", cell: ({ action }) => context.paint(styles[action], action) },
    { head: "NAME", cell: ({ name }) => safeText(name) },
    { head: "SECRET", goes: 2, cell: ({ address }) => safeText(address) },
    { head: "WHY", goes: 1, cell: ({ reason }) => safeText(reason) },
  ];
  for (const line of fitTable(columns, rows, context.io.stdout)) context.line(line);
}

/** What a dry run would come to. */
export function plannedOutcomes({ targets }: PreparedDeploy): ReadonlyMap<string, TargetOutcome> {
  const common = { written: [], removed: [] };
  return new Map(
    targets.map(({ entry, job, failure }): [string, TargetOutcome] => {
      if (failure !== undefined) return [entry.name, { ...common, kind: "failed", steps: [], failures: [failure] }];
      const hasConflict = job.steps.some(({ action }) => action === "conflict");
      return [entry.name, { ...common, kind: hasConflict ? "conflict" : "planned", steps: job.steps, failures: [] }];
    }),
  );
}

/** One line a target, with what is to be done about it, on stderr. */
export function sayOutcomes(
  context: Context,
  { targets, receipts }: PreparedDeploy,
  outcomes: ReadonlyMap<string, TargetOutcome>,
): void {
  for (const target of targets) {
    const outcome = outcomes.get(target.entry.name);
    if (outcome === undefined) continue;
    const isGood = outcome.kind === "in order" || outcome.kind === "planned";
    const text = `${target.entry.name}: ${sayOutcome(target, outcome)}`;
    context.say(isGood ? text : context.paint("red", text));
    for (const { class: failureClass, message, hints } of outcome.failures) {
      context.say(`  ${failureClass === undefined ? "" : `${failureClass}: `}${message}`);
      for (const hint of hints) context.say(`  ${hint}`);
    }
    if (outcome.kind === "conflict") context.say("  --adopt takes it over; names: in the policy gives it another name");
    const { needsAfterwards } = target.entry.bound.facts;
    if (outcome.written.length > 0 && needsAfterwards !== undefined) context.say(`  ${needsAfterwards}`);
  }
  for (const warning of receipts.warnings) context.say(`warning: ${warning}`);
}

/** The report as `--json` prints it. */
export function deployJson(
  { commit, targets, receipts }: PreparedDeploy,
  outcomes: ReadonlyMap<string, TargetOutcome>,
  isDry: boolean,
) {
  return {
    commit,
    dry_run: isDry,
    targets: targets.map(({ entry }) => {
      const outcome = outcomes.get(entry.name);
      const { needsAfterwards } = entry.bound.facts;
      return {
        target: entry.name,
        kind: entry.kind,
        place: entry.bound.place,
        required: entry.isRequired,
        outcome: outcome?.kind,
        plan: outcome?.steps.map(({ name, address, action, reason }) => ({ name, address, action, reason })),
        written: outcome?.written,
        removed: outcome?.removed,
        failures: outcome?.failures.map(printFailure),
        ...(needsAfterwards === undefined ? {} : { note: needsAfterwards }),
      };
    }),
    warnings: receipts.warnings,
  };
}

function printFailure({ class: failureClass, message, hints }: TargetFailure) {
  return { class: failureClass ?? null, message, hints };
}

function sayOutcome({ entry, job }: LookedTarget, { kind, steps, written, removed }: TargetOutcome): string {
  if (kind === "skipped") return "not begun";
  if (kind === "conflict") {
    const names = job.steps.filter(({ action }) => action === "conflict").map(({ name }) => name);
    return `nothing was sent: ${sayNames(names)} ${names.length === 1 ? "is" : "are"} somebody else's there`;
  }
  const left = steps.filter(({ action }) => action === "left over").map(({ name }) => name);
  const over = left.length === 0 ? "" : `; ${sayNames(left)} left over (--prune removes it)`;
  if (kind === "planned") {
    const amount = listWrites(steps).length;
    return `${amount === 0 ? "in order" : `would change ${amount} at ${entry.bound.place}`}${over}`;
  }
  const parts = [
    ...(written.length === 0 ? [] : [`${written.length} written`]),
    ...(removed.length === 0 ? [] : [`${removed.length} removed`]),
  ];
  const done = parts.length === 0 ? "nothing was changed" : parts.join(", ");
  return kind === "failed" ? `not in order, ${done}` : `in order, ${done}${over}`;
}

function sayNames(names: readonly string[]): string {
  return names.length <= 3 ? names.join(", ") : `${names.slice(0, 2).join(", ")} and ${names.length - 2} more`;
}
