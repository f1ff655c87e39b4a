import type { Address } from "../secret/address.ts";
import { dueAt } from "./due.ts";
import { dayMs } from "./duration.ts";
import type { StatusEntry } from "./status.ts";

/** Seven days and the rotations that fall into them. */
export interface CalendarWeek {
  /** Start of its first day in UTC, in milliseconds since 1970. */
  readonly startMs: number;
  /** One a rotation, so a secret with a short interval is there several times. */
  readonly rotations: readonly Address[];
}

/**
 * The rotations of the next `days`, by weeks from today on, as if each were done when it is
 * due. What is due already is in the first week.
 */
export function planCalendar(entries: readonly StatusEntry[], now: Date, days: number): CalendarWeek[] {
  const startMs = Math.floor(now.getTime() / dayMs) * dayMs;
  const endMs = startMs + days * dayMs;
  const weeks = Array.from({ length: Math.ceil(days / 7) }, (_, index) => ({
    startMs: startMs + index * 7 * dayMs,
    rotations: [] as Address[],
  }));
  for (const { address, rule, dueAtMs } of entries) {
    if (rule === undefined) continue;
    let next = dueAtMs === undefined ? undefined : Math.max(dueAtMs, now.getTime());
    while (next !== undefined && next < endMs) {
      weeks[Math.floor((next - startMs) / (7 * dayMs))]?.rotations.push(address);
      next = dueAt(rule, address, next);
    }
  }
  return weeks;
}
