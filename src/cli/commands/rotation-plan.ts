import { SealtreeError } from "../../errors.ts";
import { countRotations, groupByWeek, planCalendar, type CalendarDay } from "../../rotation/calendar.ts";
import { selectRotations, type SelectedRotations } from "../../rotation/select.ts";
import { printAddress } from "../../secret/address.ts";
import type { StatusEntry } from "../../rotation/status.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count, table } from "../present.ts";
import { monthsLegend, printMonths, printWeeks } from "../rotation-calendar-text.ts";
import { filterOptions, readFilteredStatus } from "../rotation-filter.ts";
import { printTime } from "../rotation-json.ts";

const maxDays = 366;
const formats = ["months", "weeks", "html"] as const;
type Format = (typeof formats)[number];

export const rotationPlan: CommandModule = {
  arguments: "[address-or-scope]",
  kind: "read",
  description:
    "Draws the coming rotations as a calendar, as if each were done when it is due, and says what sealtree rotate --due would do now. What is due already is today's. Months on a terminal, a line a week elsewhere. Needs no key and no history.",
  options: [
    { flags: "--days <number>", description: "how far to look ahead, 1 to 366 (90)" },
    ...filterOptions,
    { flags: "--format <format>", description: "months, weeks, or html for a page of its own" },
  ],
  examples: [
    { command: "sealtree rotation plan", description: "the next 90 days" },
    { command: "sealtree rotation plan prod --owner alice --days 30", description: "what alice has before her" },
    { command: "sealtree rotation plan --format html > rotation.html", description: "a page to look at" },
    { command: "sealtree rotation plan --days 30 --json", description: "for another calendar" },
  ],
  json: '{"weeks": [{"start", "count": number, "addresses": [address]}], "days": [{"date", "count": number, "rotations": [{"address", "at", "times": number, "is_next": boolean}]}], "now": {"rotate": [address], "cannot": [{"address", "reason"}]}}',
  async run(context, [text], options) {
    context.about({ operation: "rotation plan" });
    const days = parseDays(options["days"]);
    const format = parseFormat(options["format"], context.io.stdout.isTTY === true ? "months" : "weeks");
    const now = context.io.now();
    const { entries, unreadable } = await readFilteredStatus(context, text, options);
    const calendar = planCalendar(entries, now, days);
    const selected = selectRotations(entries, { kind: "due" }, "planned");
    if (context.options.json) printJson(context, { calendar, now, days }, selected);
    else if (format === "html") {
      const { printRotationPage } = await import("../rotation-page-html.ts");
      context.line(printRotationPage(entries, now, days));
    } else {
      const lines =
        format === "months"
          ? printMonths(calendar, now, days, (style, words) => context.paint(style, words))
          : printWeeks(calendar, now, days);
      for (const line of lines) context.line(line);
      if (format === "months") context.say(monthsLegend);
      printNow(context, selected);
    }
    const [broken] = unreadable;
    if (broken !== undefined) throw broken.error;
  },
};

interface Plan {
  readonly calendar: readonly CalendarDay[];
  readonly now: Date;
  readonly days: number;
}

function printJson(context: Context, { calendar, now, days }: Plan, selected: SelectedRotations): void {
  context.json({
    weeks: groupByWeek(calendar, now, days).map((week) => ({
      start: printDay(week.startMs),
      count: week.days.reduce((sum, day) => sum + countRotations(day), 0),
      addresses: [
        ...new Set(week.days.flatMap((day) => day.rotations.map(({ entry }) => printAddress(entry.address)))),
      ],
    })),
    days: calendar.map((day) => ({
      date: printDay(day.startMs),
      count: countRotations(day),
      rotations: day.rotations.map(({ entry, atMs, times, isNext }) => ({
        address: printAddress(entry.address),
        at: printTime(atMs),
        times,
        is_next: isNext,
      })),
    })),
    now: {
      rotate: listEntries(selected).map(({ address }) => printAddress(address)),
      cannot: selected.notRotated.map(({ entry, reason }) => ({ address: printAddress(entry.address), reason })),
    },
  });
}

/** Everything that gets a new value, here or at its provider. */
function listEntries({ rotations, atProvider }: SelectedRotations): readonly StatusEntry[] {
  return [...rotations.map(({ entry }) => entry), ...atProvider];
}

function printNow(context: Context, selected: SelectedRotations): void {
  const { notRotated } = selected;
  const entries = listEntries(selected);
  context.line("");
  context.line(`sealtree rotate --due would give ${count(entries.length, "secret")} a new value`);
  for (const line of table(entries.map(({ address, rule }) => [`  ${printAddress(address)}`, rule?.rotator ?? ""])))
    context.line(line);
  if (notRotated.length === 0) return;
  context.line(
    `and cannot rotate ${count(notRotated.length, "secret")} that ${notRotated.length === 1 ? "is" : "are"} due`,
  );
  for (const line of table(notRotated.map(({ entry, reason }) => [`  ${printAddress(entry.address)}`, reason])))
    context.line(line);
}

function parseFormat(written: unknown, otherwise: Format): Format {
  const format = formats.find((known) => known === (written ?? otherwise));
  if (format !== undefined) return format;
  throw new SealtreeError("E_USAGE", "there is no such format", { hints: [`--format takes ${formats.join(", ")}`] });
}

function parseDays(written: unknown): number {
  if (written === undefined) return 90;
  const days = typeof written === "string" && /^[0-9]{1,3}$/.test(written) ? Number(written) : 0;
  if (days >= 1 && days <= maxDays) return days;
  throw new SealtreeError("E_USAGE", `--days is a number from 1 to ${maxDays}`);
}

function printDay(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
