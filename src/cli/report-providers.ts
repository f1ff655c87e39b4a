import type { RotationOutcome } from "../rotation/rotation-outcome.ts";
import type { RotationResult } from "../rotation/run-rotations.ts";
import type { Urgency } from "../rotation/select.ts";
import { printAddress } from "../secret/address.ts";
import { auditFailure } from "./audit-failure.ts";
import type { Context } from "./context.ts";
import { failureError } from "../rotation/rotation-outcome.ts";
import type { ProviderReport } from "./rotate-at-providers.ts";

/** One result as `--json` prints it. */
export function toJson({ address, outcome }: RotationResult) {
  const { kind, ...rest } = outcome;
  const at = (ms: number) => new Date(ms).toISOString();
  const until = "untilMs" in rest ? rest.untilMs : "graceUntilMs" in rest ? rest.graceUntilMs : undefined;
  return {
    address: printAddress(address),
    outcome: kind,
    ...(typeof until === "number" ? { until: at(until) } : {}),
    ...(until === "after merge" ? { awaits_merge: true } : {}),
    ...("reason" in rest ? { reason: rest.reason } : {}),
    ...("targets" in rest ? { targets: rest.targets } : {}),
    ...("remarks" in rest ? { remarks: rest.remarks } : {}),
    ...("message" in rest
      ? { class: rest.class, code: rest.code, message: rest.message, in_flight: rest.isInFlight }
      : {}),
    ...("hints" in rest && rest.hints.length > 0 ? { hints: rest.hints } : {}),
  };
}

/** Says what became of each secret, and what is to be done about it. */
export function sayResults(context: Context, report: ProviderReport): void {
  const { results, postponed } = report;
  for (const { address, outcome } of results) {
    const text = describeOutcome(outcome, printAddress(address));
    context.say(isOpen(outcome) ? context.paint("red", text) : text);
    for (const hint of "hints" in outcome ? outcome.hints : []) context.say(`  ${hint}`);
    for (const remark of outcome.kind === "ready" ? outcome.remarks : []) context.say(`  ${remark}`);
  }
  for (const address of postponed) context.say(`left for the next run: ${printAddress(address)}`);
  sayDelivery(context, report.delivery);
  sayWhere(context, report);
}

function sayDelivery(context: Context, delivery: ProviderReport["delivery"]): void {
  for (const { target, isInOrder, failures } of delivery?.targets.values() ?? []) {
    if (isInOrder) context.say(`deployed to ${target}`);
    else
      context.say(
        context.paint("red", `not deployed to ${target}: ${failures.map(({ message }) => message).join("; ")}`),
      );
  }
  for (const reason of delivery?.refusals ?? []) context.say(`not deployed: ${reason}`);
}

function sayWhere(context: Context, { results, isAdvanced, branch, trunk }: ProviderReport): void {
  const isNew = results.some(({ outcome }) => outcome.kind === "rotated" || outcome.kind === "ended");
  if (trunk !== undefined && isNew) context.say(`recorded on ${branch}: open a pull request into ${trunk}`);
  else if (!isAdvanced) context.say(`recorded on ${branch}; your branch could not be moved on to it: git pull`);
}

/** Says what became of a rollback at a provider. Throws what kept it from being done. */
export function reportProviderRollback(context: Context, report: ProviderReport): void {
  const [result] = report.results;
  if (result === undefined) return;
  if (result.outcome.kind === "failed") throw failureError(result.outcome);
  context.audit([
    { kind: "rolledBack", operation: "rollback", ...result.address, outcome: "ok", reason: context.options.note },
  ]);
  if (context.options.json) context.json({ at_provider: toJson(result), dry_run: false });
  else if (result.outcome.kind === "rotated") {
    context.say(`rolled back ${printAddress(result.address)}, at its provider too`);
    sayWhere(context, report);
  } else sayResults(context, report);
}

/** True when somebody or the next run must do something that should have been done now. */
export function isOpen({ kind }: RotationOutcome): boolean {
  return kind === "failed" || kind === "busy" || kind === "refused" || kind === "awaits delivery";
}

/** Puts what became of each secret into the audit log. */
export function auditResults(context: Context, results: readonly RotationResult[], urgency: Urgency): void {
  for (const { address, outcome } of results) {
    context.about({ operation: "rotate", ...address });
    if (outcome.kind === "failed") auditFailure(context, failureError(outcome));
    if (outcome.kind !== "rotated") continue;
    const kind = urgency === "emergency" ? "emergencyRotation" : "rotated";
    context.audit([{ kind, operation: "rotate", ...address, outcome: "ok", reason: context.options.note }]);
  }
}

/** What became of a secret, in a sentence without its end. */
export function describeOutcome(outcome: RotationOutcome, address: string): string {
  const when = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  switch (outcome.kind) {
    case "rotated":
      if (outcome.graceUntilMs === "after merge")
        return `rotated ${address}; the old credential is good until its grace after the merge`;
      return outcome.graceUntilMs === undefined
        ? `rotated ${address}`
        : `rotated ${address}; the old credential is good until ${when(outcome.graceUntilMs)}`;
    case "ended":
      return `ended the old credential of ${address}`;
    case "abandoned":
      return `gave up the rotation of ${address}; its value is what it was`;
    case "suspended":
      return `took the old credential of ${address} out of use; it is revoked after ${when(outcome.untilMs)}`;
    case "awaits merge":
      return `nothing to do for ${address}: its new value waits for the pull request, and the old credential is good until then`;
    case "awaits delivery":
      return `kept the old credential of ${address}: ${outcome.targets.join(", ")} ${outcome.targets.length === 1 ? "does" : "do"} not have the new one`;
    case "in grace":
      return `nothing to do for ${address}: its last rotation is in grace until ${when(outcome.untilMs)}`;
    case "busy":
      return `another run works on ${address}; it holds it until ${when(outcome.untilMs)} at most`;
    case "refused":
      return `not rotated ${address}: ${outcome.reason}`;
    case "ready":
      return `ready to rotate ${address}`;
    case "failed":
      return `${outcome.isInFlight ? "stopped in the middle of" : "not rotated"} ${address}: ${outcome.message}`;
  }
}
