import { dueAt } from "./due.ts";
import { dayMs } from "./duration.ts";
import type { StatusEntry } from "./status.ts";

/** The rotations of one day in UTC. */
export interface CalendarDay {
  /** Start of the day, in milliseconds since 1970. */
  readonly startMs: number;
  /** By the time of the first one. */
  readonly rotations: readonly PlannedRotation[];
}

/** A secret that is rotated on a day. */
export interface PlannedRotation {
  readonly entry: StatusEntry;
  /** When, for the first time on that day; in milliseconds since 1970. */
  readonly atMs: number;
  /** How often on that day: more than once for an interval below a day. */
  readonly times: number;
  /** False for one that follows another of these days, so that its time is a guess. */
  readonly isNext: boolean;
}

/**
 * The days from today on that have rotations, of the next `days`, as if each were done when it
 * is due. What is due already is today's.
 */
export function planCalendar(entries: readonly StatusEntry[], now: Date, days: number): CalendarDay[] {
  const startMs = startOfDay(now.getTime());
  const endMs = startMs + days * dayMs;
  const planned = new Map<number, PlannedRotation[]>();
  for (const entry of entries) {
    if (entry.rule === undefined || entry.dueAtMs === undefined) continue;
    let next: number | undefined = Math.max(entry.dueAtMs, now.getTime());
    let isNext = true;
    while (next !== undefined && next < endMs) {
      const first: number = next;
      const dayEnd = startOfDay(first) + dayMs;
      let times = 0;
      for (; next !== undefined && next < dayEnd; times++) next = dueAt(entry.rule, entry.address, next);
      const day = planned.get(dayEnd - dayMs) ?? [];
      day.push({ entry, atMs: first, times, isNext });
      planned.set(dayEnd - dayMs, day);
      isNext = false;
    }
  }
  return [...planned]
    .sort(([a], [b]) => a - b)
    .map(([at, rotations]) => ({ startMs: at, rotations: rotations.sort((a, b) => a.atMs - b.atMs) }));
}

/** How many rotations a day has. */
export function countRotations({ rotations }: CalendarDay): number {
  return rotations.reduce((sum, { times }) => sum + times, 0);
}

/** Seven days, whether they have rotations or not. */
export interface CalendarWeek {
  /** Start of its first day in UTC, in milliseconds since 1970. */
  readonly startMs: number;
  readonly days: readonly CalendarDay[];
}

/** The days of a plan by weeks from today on; all of the weeks of the next `days`. */
export function groupByWeek(calendar: readonly CalendarDay[], now: Date, days: number): CalendarWeek[] {
  const firstMs = startOfDay(now.getTime());
  return Array.from({ length: Math.ceil(days / 7) }, (_, index) => {
    const startMs = firstMs + index * 7 * dayMs;
    return { startMs, days: calendar.filter((day) => day.startMs >= startMs && day.startMs < startMs + 7 * dayMs) };
  });
}

/** A month as a wall calendar has it. */
export interface CalendarMonth {
  /** Start of its first day in UTC, in milliseconds since 1970. */
  readonly startMs: number;
  /** Its weeks from Monday to Sunday: starts of days, undefined for days of other months. */
  readonly weeks: readonly (readonly (number | undefined)[])[];
}

/** The months that the next `days` touch, from that of today on. */
export function listMonths(now: Date, days: number): CalendarMonth[] {
  const firstMs = startOfDay(now.getTime());
  const lastMs = firstMs + (days - 1) * dayMs;
  const months: CalendarMonth[] = [];
  for (let startMs = startOfMonth(firstMs, 0); startMs <= lastMs; startMs = startOfMonth(startMs, 1))
    months.push({ startMs, weeks: listWeeks(startMs) });
  return months;
}

function listWeeks(monthMs: number): (number | undefined)[][] {
  const length = (startOfMonth(monthMs, 1) - monthMs) / dayMs;
  const before = (new Date(monthMs).getUTCDay() + 6) % 7;
  return Array.from({ length: Math.ceil((before + length) / 7) }, (_, week) =>
    Array.from({ length: 7 }, (_unused, column) => {
      const day = week * 7 + column - before;
      return day >= 0 && day < length ? monthMs + day * dayMs : undefined;
    }),
  );
}

/** Start of the day in UTC, in milliseconds since 1970. */
export function startOfDay(timeMs: number): number {
  return Math.floor(timeMs / dayMs) * dayMs;
}

function startOfMonth(timeMs: number, later: number): number {
  const time = new Date(timeMs);
  return Date.UTC(time.getUTCFullYear(), time.getUTCMonth() + later, 1);
}
