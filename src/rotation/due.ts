import { createHash } from "node:crypto";
import { printAddress, type Address } from "../secret/address.ts";
import { dayMs } from "./duration.ts";
import type { Rule } from "./policy.ts";

/** How near a value is to its rotation. `overdue`: due for more than a day, so something is wrong. */
export type RotationState = "ok" | "notice" | "due" | "overdue" | "no-rule";

/** How long a value may be due before that is news, in milliseconds. */
const overdueAfterMs = dayMs;

const maxJitterDays = 7;

/** The times at which the state of a value changes, in milliseconds since 1970. */
export interface Schedule {
  /** From here on it is announced: half of the interval before it is due, at most. */
  readonly noticeAtMs: number;
  readonly dueAtMs: number;
  readonly overdueAtMs: number;
  /** The end of the interval. It is due before, by the jitter and back to the time of day. */
  readonly endsAtMs: number;
  /** Whole days by which it is due early, so that not all secrets are due at once. */
  readonly jitterDays: number;
}

/**
 * The schedule of a value that was set at `setAtMs`; undefined for the interval `never`. Due is
 * value set + interval, minus the jitter of the address, back to the last time of day of the
 * rule (UTC): never later than the interval says, and always after `setAtMs`. An interval
 * below a day has neither jitter nor time of day. Times in milliseconds since 1970.
 */
export function scheduleOf(rule: Rule, address: Address, setAtMs: number): Schedule | undefined {
  const { intervalMs, atMs } = rule;
  if (intervalMs === "never") return undefined;
  const endsAtMs = setAtMs + intervalMs;
  const days = intervalMs < dayMs ? 0 : jitterDays(address, intervalMs);
  const dueAtMs = intervalMs < dayMs ? endsAtMs : Math.floor((endsAtMs - days * dayMs - atMs) / dayMs) * dayMs + atMs;
  return {
    noticeAtMs: dueAtMs - Math.min(rule.noticeMs, intervalMs / 2),
    dueAtMs,
    overdueAtMs: dueAtMs + overdueAfterMs,
    endsAtMs,
    jitterDays: days,
  };
}

/** When a value that was set at `setAtMs` is to be rotated, as {@link scheduleOf} has it. */
export function dueAt(rule: Rule, address: Address, setAtMs: number): number | undefined {
  return scheduleOf(rule, address, setAtMs)?.dueAtMs;
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
  const schedule = scheduleOf(rule, address, setAtMs);
  if (schedule === undefined) return "ok";
  if (isFromTheFuture(setAtMs, nowMs)) return "due";
  if (nowMs >= schedule.overdueAtMs) return "overdue";
  if (nowMs >= schedule.dueAtMs) return "due";
  return nowMs >= schedule.noticeAtMs ? "notice" : "ok";
}

/** True for a value that claims to be set more than a day from now. */
export function isFromTheFuture(setAtMs: number, nowMs: number): boolean {
  return setAtMs > nowMs + dayMs;
}
