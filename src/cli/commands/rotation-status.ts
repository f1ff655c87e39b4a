import { exitCodes, SealtreeError } from "../../errors.ts";
import { findRotationPolicy } from "../../rotation/policy.ts";
import { isDue, type StatusEntry } from "../../rotation/status.ts";
import { printAddress } from "../../secret/address.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { fitTable, type Column } from "../fit-table.ts";
import { count, relativeTime, type Style } from "../present.ts";
import { printRotationDetail } from "../rotation-detail.ts";
import { filterOptions, readFilteredStatus, type FilteredStatus } from "../rotation-filter.ts";
import { statusJson, statusJsonShape } from "../rotation-json.ts";
import { printMinute } from "../rotation-words.ts";
import { safeText } from "../safe-text.ts";

const formats = ["text", "html"] as const;
/** How far the calendar of the page looks ahead. */
const pageDays = 90;
const styles = {
  ok: "green",
  notice: "yellow",
  due: "red",
  overdue: "red",
  "no-rule": "dim",
} as const satisfies Record<StatusEntry["state"], Style>;

export const rotationStatusCommand: CommandModule = {
  arguments: "[address-or-scope]",
  kind: "read",
  description:
    "Shows how old each value is and when it is to be rotated, of all secrets or of a scope and those below it; of one secret, everything that decides it. Secrets without a rule are listed too. Needs no key and no history. overdue: due for more than a day. in-flight: a rotation has begun; grace: it is done and the old credential still lives; stuck: either for a day longer than it should. On a terminal, columns that do not fit are left out.",
  options: [
    { flags: "--due", description: "only what is due or overdue" },
    ...filterOptions,
    { flags: "--check", description: "exit with 1 when something of it is due or overdue" },
    { flags: "--format <format>", description: "text, or html for a page with a calendar" },
  ],
  examples: [
    { command: "sealtree rotation status prod", description: "everything below prod" },
    { command: "sealtree rotation status prod/api/STRIPE_KEY", description: "why it is due when it is" },
    { command: "sealtree rotation status --due --check", description: "fail a job when something is due" },
    { command: "sealtree rotation status --format html > rotation.html", description: "a page to look at" },
  ],
  json: `{"secrets": [${statusJsonShape}], "counts": {state: number}, "warnings": [{"file", "line", "message"}]}`,
  async run(context, [text], options) {
    context.about({ operation: "rotation status" });
    const format = formats.find((known) => known === (options["format"] ?? "text"));
    if (format === undefined)
      throw new SealtreeError("E_USAGE", "there is no such format", { hints: ["--format text or --format html"] });
    const status = await readFilteredStatus(context, text, options);
    const shown = options["due"] === true ? status.entries.filter(isDue) : status.entries;
    if (context.options.json) await printJson(context, status, shown);
    else if (format === "html") await printPage(context, shown);
    else await printText(context, status, shown);
    const [broken] = status.unreadable;
    if (broken !== undefined) throw broken.error;
    return options["check"] === true && status.entries.some(isDue) ? exitCodes.found : exitCodes.ok;
  },
};

async function printJson(context: Context, status: FilteredStatus, shown: readonly StatusEntry[]): Promise<void> {
  const nowMs = context.io.now().getTime();
  context.json({
    secrets: shown.map((entry) => statusJson(entry, nowMs)),
    counts: countStates(status.entries),
    warnings: await listWarnings(context),
  });
}

async function printPage(context: Context, shown: readonly StatusEntry[]): Promise<void> {
  const { printRotationPage } = await import("../rotation-page-html.ts");
  context.line(printRotationPage(shown, context.io.now(), pageDays));
}

async function printText(context: Context, status: FilteredStatus, shown: readonly StatusEntry[]): Promise<void> {
  const [only] = shown;
  if (status.address !== undefined && only !== undefined) {
    for (const line of printRotationDetail(only, context.io.now().getTime())) context.line(safeText(line));
  } else {
    printTable(context, shown);
  }
  for (const { file, line, message } of await listWarnings(context))
    context.say(`warning: ${file}:${line ?? 1}: ${message}`);
  const counts = Object.entries(countStates(status.entries)).map(([state, amount]) => `${amount} ${state}`);
  context.say(counts.length === 0 ? "no secrets" : `${count(status.entries.length, "secret")}: ${counts.join(", ")}`);
}

function printTable(context: Context, shown: readonly StatusEntry[]): void {
  const nowMs = context.io.now().getTime();
  const columns: readonly Column<StatusEntry>[] = [
    { head: "SECRET", cell: ({ address }) => printAddress(address) },
    { head: "TYPE", goes: 2, cell: ({ rule }) => rule?.type ?? "" },
    { head: "ROTATOR", goes: 3, cell: ({ rule }) => rule?.rotator ?? "" },
    { head: "OWNER", goes: 1, cell: ({ rule }) => rule?.owner ?? "" },
    { head: "AGE", goes: 4, cell: ({ setAtMs }) => `set ${relativeTime(setAtMs, nowMs)}` },
    { head: "NEXT (UTC)", cell: (entry) => sayDue(entry, nowMs) },
    {
      head: "STATE",
      cell: ({ state, flight }) =>
        context.paint(styles[state], state) + (flight === undefined ? "" : `, ${flight.phase}`),
    },
  ];
  for (const line of fitTable(columns, shown, context.io.stdout)) context.line(line);
}

function sayDue({ rule, dueAtMs }: StatusEntry, nowMs: number): string {
  if (dueAtMs === undefined) return rule === undefined ? "" : "never";
  return `${relativeTime(dueAtMs, nowMs)} (${printMinute(dueAtMs)})`;
}

async function listWarnings(context: Context) {
  const { findings } = await findRotationPolicy(await context.tree());
  return findings.map(({ file, line, message }) => ({ file, line, message }));
}

function countStates(entries: readonly StatusEntry[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state } of entries) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
