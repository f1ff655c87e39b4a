import type { PlannedRotation } from "../rotation/calendar.ts";
import { isStuck } from "../rotation/flight.ts";
import { isDue, type StatusEntry } from "../rotation/status.ts";
import { printAddress } from "../secret/address.ts";
import { relativeTime } from "./present.ts";

/** How near the nearest rotation of a day is. */
export type Urgency = "due" | "notice" | "later";

/** `due` when one of the rotations is due already, `notice` when one is announced. */
export function urgencyOf(rotations: readonly PlannedRotation[]): Urgency {
  const next = rotations.filter(({ isNext }) => isNext).map(({ entry }) => entry);
  if (next.some(isDue)) return "due";
  return next.some(({ state }) => state === "notice") ? "notice" : "later";
}

/** `in flight, begun 3 hours ago`, `stuck in grace, ...`; undefined when no rotation has begun. */
export function sayFlight({ flight }: StatusEntry, nowMs: number): string | undefined {
  if (flight === undefined) return undefined;
  if (flight.phase === "unreadable") return "its journal cannot be read";
  const stuck = isStuck(flight, nowMs) ? "stuck " : "";
  if (flight.phase === "grace" && flight.graceUntilMs === undefined)
    return "rotated for a pull request; the grace of the old credential begins with the next run after the merge";
  if (flight.phase === "grace" && flight.graceUntilMs !== undefined)
    return `${stuck}in grace, the old credential may go ${relativeTime(flight.graceUntilMs, nowMs)}`;
  const began = flight.startedAtMs === undefined ? "" : `, begun ${relativeTime(flight.startedAtMs, nowMs)}`;
  return `${stuck}in flight${began}`;
}

/** What to type or do so that a secret gets its new value. */
export function sayNext({ address, rule, flight }: StatusEntry): string {
  const text = printAddress(address);
  if (flight?.phase === "unreadable") return "sealtree check";
  if (rule === undefined) return `name it under secrets in policies/rotation.yaml`;
  if (rule.rotator === "manual" && flight === undefined) return `sealtree set ${text}`;
  return `sealtree rotate ${text}`;
}

/** `2026-03-29 02:00`, in UTC. */
export function printMinute(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 16).replace("T", " ");
}
