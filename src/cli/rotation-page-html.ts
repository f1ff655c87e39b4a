import {
  countRotations,
  listMonths,
  planCalendar,
  startOfDay,
  type CalendarDay,
  type CalendarMonth,
  type PlannedRotation,
} from "../rotation/calendar.ts";
import { printDuration } from "../rotation/duration.ts";
import { isStuck, type FlightPhase } from "../rotation/flight.ts";
import { isDue, type StatusEntry } from "../rotation/status.ts";
import { withoutRunnerCommands } from "../review/print-findings.ts";
import { printAddress } from "../secret/address.ts";
import { escapeHtml, printHtmlPage } from "./html.ts";
import { count, relativeTime } from "./present.ts";
import { nameMonth } from "./rotation-calendar-text.ts";
import { printMinute, sayFlight, urgencyOf } from "./rotation-words.ts";
import { safeText } from "./safe-text.ts";

/** Most secrets that a day of the calendar names before it folds the others. */
const maxNamed = 4;
const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

const style = `
body { max-width: 74rem; margin: 2rem auto; padding: 0 1.5rem; }
:root { --due: light-dark(#cf222e, #f85149); --notice: light-dark(#9a6700, #d29922); --fine: light-dark(#1a7f37, #3fb950); --flight: light-dark(#0969da, #4493f8); }
h2 { font-size: 1rem; margin: 1.8rem 0 .5rem; }
.figures { display: flex; flex-wrap: wrap; gap: .6rem; padding: 0; margin: 1rem 0; list-style: none; }
.figures li { border: 1px solid var(--line); border-left: 5px solid var(--tone, var(--line)); border-radius: 6px; padding: .4rem .9rem; }
.figures b { display: block; font-size: 1.3rem; line-height: 1.3; }
.due, .overdue, .stuck { --tone: var(--due); }
.notice { --tone: var(--notice); }
.ok, .later { --tone: var(--fine); }
.flight { --tone: var(--flight); }
.months { display: grid; grid-template-columns: repeat(auto-fit, minmax(31rem, 1fr)); gap: 1.2rem; align-items: start; }
.months table { width: 100%; table-layout: fixed; }
caption { text-align: left; font-weight: 600; padding: .2rem 0; }
.months th { font-size: 11px; font-weight: 600; color: var(--dim); padding: .1rem .35rem; position: static; }
.months td { height: 2.6rem; padding: .1rem .3rem; text-align: left; vertical-align: top; font: 11px/1.35 system-ui, sans-serif; white-space: normal; overflow: hidden; }
.months td.past { color: var(--dim); }
.months td.away { border-color: transparent; }
.months td.today { outline: 2px solid CanvasText; outline-offset: -2px; }
.months td[class*="has"] { background: color-mix(in srgb, var(--tone) 18%, Canvas); }
.months b { float: right; color: var(--tone); font-size: 13px; }
.names { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; margin: 0; padding: 0; list-style: none; clear: both; }
.names li { overflow: hidden; text-overflow: ellipsis; }
summary { cursor: pointer; color: var(--dim); }
.secrets { width: 100%; }
.secrets td { font: inherit; text-align: left; white-space: normal; vertical-align: top; }
.secrets small { display: block; }
.secrets small:not(.state) { color: var(--dim); }
.secrets thead th { font-weight: 600; color: var(--dim); font-size: 12px; }
.when { white-space: nowrap; }
.secrets th { vertical-align: top; }
.state { color: var(--tone); font-weight: 600; }
main { overflow-x: auto; }
footer { color: var(--dim); margin-top: 2rem; font-size: 12px; }
@media print { details > * { display: revert; } }
`;

/** When the secrets are rotated, as a page: figures, the next `days` by month, and a row a secret. It loads and runs nothing. */
export function printRotationPage(entries: readonly StatusEntry[], now: Date, days: number): string {
  const nowMs = now.getTime();
  const calendar = planCalendar(entries, now, days);
  const byStart = new Map(calendar.map((day) => [day.startMs, day]));
  return printHtmlPage(
    "Rotation",
    [
      "<main>",
      "<h1>Rotation</h1>",
      `<p>${count(entries.length, "secret")} on ${printMinute(nowMs)} UTC; the calendar has the next ${count(days, "day")}, as if each rotation were done when it is due.</p>`,
      printFigures(entries, nowMs),
      `<div class="months">`,
      ...listMonths(now, days).map((month) => printMonth(month, byStart, startOfDay(nowMs))),
      "</div>",
      "<h2>Secrets</h2>",
      printSecrets(entries, nowMs),
      "</main>",
      "<footer>All times are UTC. sealtree rotation status --json has them to the second.</footer>",
    ].join("\n"),
    style,
  );
}

function printFigures(entries: readonly StatusEntry[], nowMs: number): string {
  const amount = (isCounted: (entry: StatusEntry) => boolean) => entries.filter(isCounted).length;
  const isRunning = (entry: StatusEntry, phase: FlightPhase) =>
    entry.flight?.phase === phase && !isStuck(entry.flight, nowMs);
  const figures = [
    ["overdue", "overdue", amount(({ state }) => state === "overdue")],
    ["due", "due", amount(({ state }) => state === "due")],
    ["stuck", "stuck", amount(({ flight }) => flight !== undefined && isStuck(flight, nowMs))],
    ["notice", "soon", amount(({ state }) => state === "notice")],
    ["flight", "in flight", amount((entry) => isRunning(entry, "in-flight"))],
    ["flight", "in grace", amount((entry) => isRunning(entry, "grace"))],
    ["", "without a rule", amount(({ state }) => state === "no-rule")],
    ["ok", "fine", amount(({ state, flight }) => state === "ok" && flight === undefined)],
  ] as const;
  const items = figures.map(([tone, words, number]) =>
    number === 0 ? "" : `<li class="${tone}"><b>${number}</b>${words}</li>`,
  );
  return `<ul class="figures">${items.join("")}</ul>`;
}

function printMonth(month: CalendarMonth, byStart: ReadonlyMap<number, CalendarDay>, todayMs: number): string {
  const rows = month.weeks.map((week) => {
    const cells = week.map((startMs) =>
      startMs === undefined ? `<td class="away"></td>` : printDay(startMs, byStart.get(startMs), todayMs),
    );
    return `<tr>${cells.join("")}</tr>`;
  });
  return [
    `<table><caption>${nameMonth(month)}</caption>`,
    `<thead><tr>${weekdays.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead>`,
    `<tbody>\n${rows.join("\n")}\n</tbody></table>`,
  ].join("\n");
}

function printDay(startMs: number, day: CalendarDay | undefined, todayMs: number): string {
  const number = new Date(startMs).getUTCDate();
  const marks = [...(startMs < todayMs ? ["past"] : []), ...(startMs === todayMs ? ["today"] : [])];
  if (day === undefined) return `<td class="${marks.join(" ")}">${number}</td>`;
  const classes = [...marks, "has", urgencyOf(day.rotations)].join(" ");
  const [first, rest] = [day.rotations.slice(0, maxNamed), day.rotations.slice(maxNamed)];
  const more = rest.length === 0 ? "" : `<details><summary>${rest.length} more</summary>${printNames(rest)}</details>`;
  return `<td class="${classes}">${number} <b>${countRotations(day)}</b>${printNames(first)}${more}</td>`;
}

function printNames(rotations: readonly PlannedRotation[]): string {
  const items = rotations.map(({ entry, atMs, times }) => {
    const address = escape(printAddress(entry.address));
    const often = times === 1 ? "" : ` ×${times}`;
    const title = `${address}, ${isDue(entry) ? "due since" : "at"} ${printMinute(isDue(entry) ? (entry.dueAtMs ?? atMs) : atMs)}`;
    return `<li title="${title}">${escape(entry.address.name)}${often}</li>`;
  });
  return `<ul class="names">${items.join("")}</ul>`;
}

function printSecrets(entries: readonly StatusEntry[], nowMs: number): string {
  const heads = ["Secret", "State", "Next", "Age", "Early by", "Rule", "Owner", "Runbook"];
  const ranked = entries.map((entry) => ({ entry, rank: rankOf(entry, nowMs) }));
  // Two that are never due have the same rank, and their difference is no number.
  const sorted = ranked.sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank)).map(({ entry }) => entry);
  const rows = sorted.map((entry) => {
    const { address, rule, setAtMs, schedule, state } = entry;
    const flight = sayFlight(entry, nowMs);
    const tone = entry.flight !== undefined && isStuck(entry.flight, nowMs) ? "stuck" : "flight";
    const [next, when] =
      schedule === undefined
        ? [rule === undefined ? "" : "never", ""]
        : [printMinute(schedule.dueAtMs), relativeTime(schedule.dueAtMs, nowMs)];
    const cells = [
      `<span class="state ${state}">${sayState(state)}</span>${flight === undefined ? "" : `<small class="state ${tone}">${escape(flight)}</small>`}`,
      `<span class="when">${next}</span><small>${when}</small>`,
      `<span class="when">${relativeTime(setAtMs, nowMs)}</span>`,
      schedule === undefined ? "" : count(schedule.jitterDays, "day"),
      rule === undefined
        ? ""
        : `${escape(rule.rotator)} ${rule.intervalMs === "never" ? "never" : printDuration(rule.intervalMs)}<small>${escape(rule.type ?? "")}</small>`,
      escape(rule?.owner ?? ""),
      escape(rule?.runbook ?? ""),
    ];
    return `<tr><th scope="row">${escape(printAddress(address))}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  return [
    `<table class="secrets">`,
    `<thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join("")}</tr></thead>`,
    `<tbody>\n${rows.join("\n")}\n</tbody>`,
    "</table>",
  ].join("\n");
}

/** By what is due first, after what is stuck and what is in flight; what is never due is last. */
function rankOf({ flight, dueAtMs = Infinity }: StatusEntry, nowMs: number): number {
  if (flight === undefined) return dueAtMs;
  return isStuck(flight, nowMs) ? -2 : -1;
}

function sayState(state: StatusEntry["state"]): string {
  return state === "notice" ? "soon" : state === "no-rule" ? "no rule" : state;
}

function escape(text: string): string {
  return escapeHtml(withoutRunnerCommands(safeText(text)));
}
