import {
  countRotations,
  groupByWeek,
  listMonths,
  startOfDay,
  type CalendarDay,
  type CalendarMonth,
} from "../rotation/calendar.ts";
import { urgencyOf, type Urgency } from "./rotation-words.ts";
import { table, type Style } from "./present.ts";

type Paint = (style: Style, text: string) => string;

const maxBar = 40;
const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;
const cellWidth = 10;
const styles = { due: "red", notice: "yellow", later: "bold" } as const satisfies Record<Urgency, Style>;
/** What stands behind a number, so that it also says it where there is no colour. */
const marks = { due: "!", notice: "~", later: "" } as const satisfies Record<Urgency, string>;

/** Explains {@link printMonths}. */
export const monthsLegend = "a number is how many rotations a day has; ! due, ~ announced; [ ] today";

/** The days as wall calendars of 70 columns: a row a week, a column a day from Monday on. */
export function printMonths(days: readonly CalendarDay[], now: Date, length: number, paint: Paint): string[] {
  const byStart = new Map(days.map((day) => [day.startMs, day]));
  const todayMs = startOfDay(now.getTime());
  return listMonths(now, length).flatMap((month, index) => [
    ...(index === 0 ? [] : [""]),
    paint("bold", nameMonth(month)),
    weekdays
      .map((name) => ` ${name}`.padEnd(cellWidth))
      .join("")
      .trimEnd(),
    ...month.weeks.map((week) =>
      week
        .map((startMs) =>
          startMs === undefined ? "".padEnd(cellWidth) : printDay(startMs, byStart.get(startMs), todayMs, paint),
        )
        .join("")
        .trimEnd(),
    ),
  ]);
}

/** `November 2026` */
export function nameMonth({ startMs }: CalendarMonth): string {
  return new Date(startMs).toLocaleDateString("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
}

/** The days as one line a week, with a bar as long as it has rotations. */
export function printWeeks(days: readonly CalendarDay[], now: Date, length: number): string[] {
  const weeks = groupByWeek(days, now, length).map((week) => ({ ...week, count: sum(week.days.map(countRotations)) }));
  const most = Math.max(1, ...weeks.map(({ count }) => count));
  return table(
    weeks.map(({ startMs, count }) => {
      const bar = "█".repeat(Math.ceil((count / most) * Math.min(most, maxBar)));
      return [`week of ${new Date(startMs).toISOString().slice(0, 10)}`, count === 0 ? "·" : `${bar} ${count}`];
    }),
  );
}

function printDay(startMs: number, day: CalendarDay | undefined, todayMs: number, paint: Paint): string {
  const number = String(new Date(startMs).getUTCDate()).padStart(2);
  const isToday = startMs === todayMs;
  const head = isToday ? `[${number}]` : ` ${number} `;
  if (day === undefined) return (startMs < todayMs ? paint("dim", head) : head) + " ".repeat(cellWidth - head.length);
  const urgency = urgencyOf(day.rotations);
  const count = `${countRotations(day)}${marks[urgency]}`;
  return `${head} ${paint(styles[urgency], count)}${" ".repeat(Math.max(1, cellWidth - head.length - 1 - count.length))}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
