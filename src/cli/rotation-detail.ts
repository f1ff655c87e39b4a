import { printDuration } from "../rotation/duration.ts";
import { isDue, type StatusEntry } from "../rotation/status.ts";
import { printAddress } from "../secret/address.ts";
import { count, relativeTime, table } from "./present.ts";
import { printMinute, sayFlight, sayNext } from "./rotation-words.ts";

/** Everything that decides when one secret is rotated, as lines of two columns. */
export function printRotationDetail(entry: StatusEntry, nowMs: number): string[] {
  const { address, rule, setAtMs, schedule, state } = entry;
  const at = (timeMs: number) => `${printMinute(timeMs)} UTC, ${relativeTime(timeMs, nowMs)}`;
  const flight = sayFlight(entry, nowMs);
  const rows: (readonly [string, string | undefined])[] = [
    ["secret", printAddress(address)],
    ["state", state],
    ["rotation", flight],
    ["set", at(setAtMs)],
    ["interval", rule === undefined ? undefined : sayInterval(entry)],
    ["jitter", schedule === undefined ? undefined : sayJitter(schedule.jitterDays)],
    ["notice", schedule === undefined ? undefined : at(schedule.noticeAtMs)],
    ["due", schedule === undefined ? undefined : at(schedule.dueAtMs)],
    ["grace", rule === undefined ? undefined : printDuration(rule.graceMs)],
    ["type", rule?.type],
    ["rotator", rule?.rotator],
    ["owner", rule === undefined ? undefined : (rule.owner ?? "nobody")],
    ["runbook", rule?.runbook],
    ["next", isDue(entry) || rule === undefined || flight !== undefined ? sayNext(entry) : undefined],
  ];
  return table(rows.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])));
}

function sayInterval({ rule, schedule }: StatusEntry): string {
  if (rule === undefined || rule.intervalMs === "never" || schedule === undefined) return "never";
  return `${printDuration(rule.intervalMs)}, over at ${printMinute(schedule.endsAtMs)} UTC`;
}

function sayJitter(days: number): string {
  return days === 0 ? "none" : `${count(days, "day")} early, by the name of the secret`;
}
