import { createHash } from "node:crypto";
import { printAddress, type Address } from "../secret/address.ts";
import { dayMs } from "./duration.ts";
import type { Rule } from "./policy.ts";

/** How near a value is to its rotation. `overdue`: due for more than a day, so something is wrong. */
export type RotationState = "ok" | "notice" | "due" | "overdue" | "no-rule";

/** How long a value may be due before that is news, in milliseconds. */
const overdueAfterMs = dayMs;

const maxJitterDays = 7;

/**
 * When a value that was set at `setAtMs` is to be rotated; undefined for the interval `never`.
 * Value set + interval, minus the jitter of the address, back to the last time of day of the
 * rule (UTC): never later than the interval says, and always after `setAtMs`. An interval
 * below a day has neither jitter nor time of day. Times in milliseconds since 1970.
 */
export function dueAt(rule: Rule, address: Address, setAtMs: number): number | undefined {
  const { intervalMs, atMs } = rule;
  if (intervalMs === "never") return undefined;
  const latest = setAtMs + intervalMs;
  if (intervalMs < dayMs) return latest;
  const jittered = latest - jitterDays(address, intervalMs) * dayMs;
  return Math.floor((jittered - atMs) / dayMs) * dayMs + atMs;
}

/** Whole days by which a secret is rotated early: 0 to 7 and at most a tenth of the interval, always the same for one address. */
export function jitterDays(address: Address, intervalMs: number): number {
  const most = Math.min(maxJitterDays, Math.floor(intervalMs / 10 / dayMs));
  return createHash("sha256").update(printAddress(address)).digest().readUInt32BE(0) % (most + 1);
}

/**
 * The state of a value at `nowMs`. One that is set in the future has no age to trust, so it is
 * due. Notice is given for half of the interval at most.
 */
export function stateOf(rule: Rule, address: Address, setAtMs: number, nowMs: number): RotationState {
  const due = dueAt(rule, address, setAtMs);
  if (due === undefined || rule.intervalMs === "never") return "ok";
  if (setAtMs > nowMs + dayMs) return "due";
  if (nowMs >= due + overdueAfterMs) return "overdue";
  if (nowMs >= due) return "due";
  return nowMs >= due - Math.min(rule.noticeMs, rule.intervalMs / 2) ? "notice" : "ok";
}
