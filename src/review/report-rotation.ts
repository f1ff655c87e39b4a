import { dueAt, stateOf, type RotationState } from "../rotation/due.ts";
import { dayMs } from "../rotation/duration.ts";
import { ruleFor, type RotationPolicy, type Rule } from "../rotation/policy.ts";
import { parseAddress, printAddress, type Address } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import type { Snapshots } from "./report-snapshot.ts";

/** What the rotation policy says of a secret. */
export interface RotationOutlook {
  readonly state: RotationState;
  /** In milliseconds; undefined without a rule. */
  readonly intervalMs: number | "never" | undefined;
  /** In milliseconds since 1970; undefined when it is never due. */
  readonly dueAtMs: number | undefined;
}

/** A rule that is not as it was. */
export interface RuleChange extends Address {
  readonly kind: "added" | "removed" | "changed";
  /** In words; empty for a rule that is new or gone. */
  readonly changes: readonly string[];
  /** True when the value will live longer than the rule of the base allowed. */
  readonly isWeaker: boolean;
}

/** When a value that was set at `createdAt` (seconds since 1970) is to be rotated. */
export function lookAhead(
  policy: RotationPolicy | undefined,
  address: Address,
  createdAt: number,
  now: Date,
): RotationOutlook {
  const rule = policy === undefined ? undefined : ruleFor(policy, address);
  if (rule === undefined) return { state: "no-rule", intervalMs: undefined, dueAtMs: undefined };
  const setAtMs = createdAt * 1000;
  return {
    state: stateOf(rule, address, setAtMs, now.getTime()),
    intervalMs: rule.intervalMs,
    dueAtMs: dueAt(rule, address, setAtMs),
  };
}

/** The rules that changed, by address; also through their type or the defaults. */
export function compareRotation(
  before: RotationPolicy | undefined,
  after: RotationPolicy | undefined,
  present: Snapshots,
): RuleChange[] {
  if (before === after) return [];
  const addresses = [...new Set([...(before?.secrets.keys() ?? []), ...(after?.secrets.keys() ?? [])])];
  return addresses.sort(compareText).flatMap((text): RuleChange[] => {
    const address = parseAddress(text);
    const old = before === undefined ? undefined : ruleFor(before, address);
    const now = after === undefined ? undefined : ruleFor(after, address);
    if (now === undefined) {
      const isThere = present.get(address.scope)?.secrets.has(address.name) === true;
      return old === undefined ? [] : [{ ...address, kind: "removed", changes: [], isWeaker: isThere }];
    }
    if (old === undefined) return [{ ...address, kind: "added", changes: [], isWeaker: false }];
    const changes = listChanges(old, now);
    return changes.length === 0 ? [] : [{ ...address, kind: "changed", changes, isWeaker: isLonger(old, now) }];
  });
}

/** `every 90 days`, `never`. */
export function sayInterval(intervalMs: number | "never"): string {
  return intervalMs === "never" ? "never" : `every ${sayDuration(intervalMs)}`;
}

/** `prod/api/KEY: the interval goes from 90 days to never`. */
export function sayRuleChange(change: RuleChange): string {
  const address = printAddress(change);
  if (change.kind === "changed") return `${address}: ${change.changes.join(", ")}`;
  return `${address}: ${change.kind === "added" ? "a rule is there now" : "the rule is gone"}`;
}

function listChanges(old: Rule, now: Rule): string[] {
  const changes: string[] = [];
  const compare = (what: string, before: string, after: string) => {
    if (before !== after) changes.push(`${what} goes from ${before} to ${after}`);
  };
  const length = (ms: number | "never") => (ms === "never" ? ms : sayDuration(ms));
  compare("the interval", length(old.intervalMs), length(now.intervalMs));
  compare("the notice", length(old.noticeMs), length(now.noticeMs));
  compare("the grace", length(old.graceMs), length(now.graceMs));
  compare("the rotator", old.rotator, now.rotator);
  compare("the owner", old.owner ?? "nobody", now.owner ?? "nobody");
  compare("rollback", old.isRollbackAllowed ? "allowed" : "refused", now.isRollbackAllowed ? "allowed" : "refused");
  if (JSON.stringify(old.options) !== JSON.stringify(now.options)) changes.push("its options are others");
  if (old.runbook !== now.runbook) changes.push("its runbook is another");
  if (old.atMs !== now.atMs) changes.push("its time of day is another");
  return changes;
}

function isLonger(old: Rule, now: Rule): boolean {
  const length = ({ intervalMs }: Rule) => (intervalMs === "never" ? Infinity : intervalMs);
  return length(now) > length(old) || (!old.isRollbackAllowed && now.isRollbackAllowed);
}

function sayDuration(ms: number): string {
  const [amount, unit] =
    ms % dayMs === 0 ? [ms / dayMs, "day"] : ms % 3_600_000 === 0 ? [ms / 3_600_000, "hour"] : [ms / 60_000, "minute"];
  return `${amount} ${unit}${amount === 1 ? "" : "s"}`;
}
