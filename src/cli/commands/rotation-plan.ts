import { SealtreeError } from "../../errors.ts";
import { planCalendar, type CalendarWeek } from "../../rotation/calendar.ts";
import { selectRotations, type SelectedRotations } from "../../rotation/select.ts";
import { rotationStatus } from "../../rotation/status.ts";
import { printAddress } from "../../secret/address.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count, table } from "../present.ts";

const maxDays = 366;
const maxBar = 40;

export const rotationPlan: CommandModule = {
  arguments: "",
  kind: "read",
  description:
    "Shows how many rotations fall into each of the coming weeks, as if each were done when it is due, and what sealtree rotate --due would do now. Needs no key and no history.",
  options: [{ flags: "--days <number>", description: "how far to look ahead, 1 to 366 (90)" }],
  examples: [
    { command: "sealtree rotation plan", description: "the next 90 days" },
    { command: "sealtree rotation plan --days 30 --json", description: "for a calendar" },
  ],
  json: '{"weeks": [{"start", "count": number, "addresses": [address]}], "now": {"rotate": [address], "cannot": [{"address", "reason"}]}}',
  async run(context, _args, options) {
    context.about({ operation: "rotation plan" });
    const days = parseDays(options["days"]);
    const now = context.io.now();
    const { entries, unreadable } = await rotationStatus(await context.tree(), now);
    const weeks = planCalendar(entries, now, days);
    const selected = selectRotations(entries, { kind: "due" }, "planned");
    if (context.options.json) printJson(context, weeks, selected);
    else printPicture(context, weeks, selected);
    const [broken] = unreadable;
    if (broken !== undefined) throw broken.error;
  },
};

function printJson(
  context: Context,
  weeks: readonly CalendarWeek[],
  { rotations, notRotated }: SelectedRotations,
): void {
  context.json({
    weeks: weeks.map(({ startMs, rotations: items }) => ({
      start: printDay(startMs),
      count: items.length,
      addresses: [...new Set(items.map(printAddress))],
    })),
    now: {
      rotate: rotations.map(({ entry }) => printAddress(entry.address)),
      cannot: notRotated.map(({ entry, reason }) => ({ address: printAddress(entry.address), reason })),
    },
  });
}

function printPicture(
  context: Context,
  weeks: readonly CalendarWeek[],
  { rotations, notRotated }: SelectedRotations,
): void {
  const most = Math.max(1, ...weeks.map((week) => week.rotations.length));
  const rows = weeks.map(({ startMs, rotations: { length } }) => {
    const bar = "█".repeat(Math.ceil((length / most) * Math.min(most, maxBar)));
    return [`week of ${printDay(startMs)}`, length === 0 ? "·" : `${bar} ${length}`];
  });
  for (const line of table(rows)) context.line(line);
  context.line("");
  context.line(`sealtree rotate --due would give ${count(rotations.length, "secret")} a new value`);
  for (const line of table(
    rotations.map(({ entry }) => [`  ${printAddress(entry.address)}`, entry.rule?.rotator ?? ""]),
  ))
    context.line(line);
  if (notRotated.length === 0) return;
  context.line(
    `and cannot rotate ${count(notRotated.length, "secret")} that ${notRotated.length === 1 ? "is" : "are"} due`,
  );
  for (const line of table(notRotated.map(({ entry, reason }) => [`  ${printAddress(entry.address)}`, reason])))
    context.line(line);
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
