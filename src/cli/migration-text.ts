import type { MigratedValue, MigrationReport } from "../migrate/migration.ts";
import { nextSteps } from "../migrate/next-steps.ts";
import { type Column, fitTable } from "./fit-table.ts";
import type { OutputStream } from "./io.ts";
import { markdownCode, markdownText } from "./markdown.ts";
import { count } from "./present.ts";

/** What became of a move. */
export interface MigrationOutcome {
  /** `planned` with --dry-run and before it is asked; `written` when some values could not be read back. */
  readonly state: "planned" | "written" | "verified";
  readonly commit: string | undefined;
}

const columns: readonly Column<MigratedValue>[] = [
  { head: "NAME", cell: ({ name }) => name },
  { head: "FROM", cell: ({ source, renamed }) => (renamed ? source : ""), goes: 2 },
  { head: "TYPE", cell: ({ type }) => type, goes: 3 },
  { head: "COMMENTS", cell: ({ comments }) => (comments === 0 ? "" : String(comments)), goes: 1 },
  { head: "NOTE", cell: noteOf, goes: 4 },
];
const maxRows = 200;

/** The report as lines for a terminal. */
export function migrationLines(report: MigrationReport, { state }: MigrationOutcome, stream: OutputStream): string[] {
  const { values, leftOut, system, scope } = report;
  const rows = fitTable(columns, values.slice(0, maxRows), stream);
  const more = values.length > maxRows ? [`and ${values.length - maxRows} more`] : [];
  const lost =
    leftOut.length === 0 ? [] : ["left out:", ...leftOut.map(({ source, reason }) => `  ${source}: ${reason}`)];
  const next =
    state === "planned" ? [] : ["what is left to do:", ...nextSteps(system, scope).map((step) => `  - ${step}`)];
  return [`${count(values.length, "value")} from ${system} to ${scope}`, ...rows, ...more, ...lost, ...next];
}

/** The report as Markdown, for a pull request. */
export function migrationMarkdown(report: MigrationReport, outcome: MigrationOutcome): string[] {
  const { values, leftOut, system, scope } = report;
  const rows = values.map(
    (value) =>
      `| ${[markdownCode(value.name), value.renamed ? markdownCode(value.source) : "", value.type, value.comments === 0 ? "" : String(value.comments), markdownText(noteOf(value))].join(" | ")} |`,
  );
  const states = {
    planned: "This is a plan: nothing was written.",
    written: "The values were written. They could not be read back.",
    verified: "Every value was read back from what was written and compared with the source.",
  } as const;
  const lost =
    leftOut.length === 0
      ? []
      : [
          "",
          "### Left out",
          "",
          ...leftOut.map(({ source, reason }) => `- ${markdownCode(source)}: ${markdownText(reason)}`),
        ];
  return [
    `## ${markdownText(`Moved to ${scope} from ${system}`)}`,
    "",
    `${count(values.length, "value")}${outcome.commit === undefined ? "" : `, commit ${markdownCode(outcome.commit.slice(0, 9))}`}. ${states[outcome.state]}`,
    "",
    "| Name | From | Type | Comments | Note |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    ...lost,
    "",
    "### What is left to do",
    "",
    ...nextSteps(system, scope).map((step) => `- ${markdownText(step)}`),
  ];
}

function noteOf({ open, note }: MigratedValue): string {
  return [...(open ? ["in the open in the source"] : []), ...(note === undefined ? [] : [note])].join("; ");
}
