import { execFileSync } from "node:child_process";
import type { Cut } from "./cut.ts";
import type { RanCase } from "./plan-cases.ts";
import { printCase } from "./run-case.ts";
import type { Sweep } from "./sweep.ts";

/** docs/rotation-crashes.md, of what was run just now. */
export function printReport(sweeps: readonly Sweep[]): string {
  const ran = sweeps.flatMap((sweep) => sweep.ran);
  const damage = sweeps.flatMap((sweep) => sweep.damage);
  const sum = (of: (each: RanCase) => number) => ran.reduce((total, each) => total + of(each), 0);
  const git = execFileSync("git", ["--version"], { encoding: "utf8" }).trim().replace("git version ", "");
  return `# Crashes of rotations

Written by \`npm run crashes\`, which needs the servers of \`npm run setup:real\`. What a rotation is made
of, and what the next run does after each crash, is in [rotation-engine.md](rotation-engine.md).

Each run below is the built command against a real server, with a git remote over HTTP that asks for a
password. It is ended at one of the named points of \`src/rotation/crash-points.ts\`, by SIGKILL or by an
error that is thrown there; or the remote does a push and its answer is lost; or the run and the git that it
started get SIGTERM or SIGINT while the remote has a request, as when a job is cancelled. In a double crash
the run that recovers is ended too. Then one run goes through, and the grace ends.

After each run it is checked that the server lets in the live value of the remote's HEAD, and that HEAD
gives every credential that is live at the server; one may be strange that a service made while the journal
is \`claimed\`. The run that recovers ends with exit status 0. In the end there is no journal, one live
credential, and it is HEAD's. All along, a program takes the credential of HEAD and logs in with it, five
times a second at most, and is never refused. Where a key is rolled, the old one ends with that: there, no
program logs in, and HEAD is checked after the run that recovers.

${printTable(
  [
    "server",
    "version",
    "points",
    "SIGKILL",
    "thrown",
    "lost answers",
    "cancelled",
    "double",
    "without a crash",
    "runs",
    "logins",
    "damage",
  ],
  [
    ...sweeps.map((sweep) => printRow(sweep)),
    ["all", "", ...sumColumns(sweeps.map((sweep) => printRow(sweep).slice(2)))],
  ],
)}

\`points\` are those of all that a server has below, together. \`runs\` are cases; ${sum(({ result }) => result.processes)} processes
of sealtree made them. Node ${process.versions.node}, git ${git}.

${damage.length === 0 ? "Nothing was lost, no run failed, and no login was refused." : damage.map((each) => `- ${each}`).join("\n")}

## Points

${sweeps.map(printPoints).join("\n\n")}

## Double crashes

${sweeps.map(printDoubles).join("\n\n")}
`;
}

function printRow({ name, version, points, ran, damage }: Sweep): string[] {
  const single = (how: Cut["how"]) =>
    ran.filter(({ done }) => done.cuts.length === 1 && done.cuts[0]?.how === how).length;
  const cuts = (count: number) => ran.filter(({ done }) => done.cuts.length === count).length;
  const numbers = [
    [...points.values()].flat().length,
    single("kill"),
    single("throw"),
    single("lost answer"),
    single("signal"),
    cuts(2),
    cuts(0),
    ran.length,
    ran.reduce((total, { result }) => total + result.logins, 0),
    damage.length,
  ];
  return [name, version, ...numbers.map(String)];
}

function sumColumns(rows: readonly (readonly string[])[]): string[] {
  return (rows[0] ?? []).map((_, column) => String(rows.reduce((total, row) => total + Number(row[column]), 0)));
}

function printTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function printPoints({ name, points }: Sweep): string {
  const rows = [...points].map(([scenario, reached]) => [scenario, String(reached.length), reached.join(" ")]);
  return `${name}\n\n${printTable(["in", "points", "in this order"], rows)}`;
}

function printDoubles({ name, ran }: Sweep): string {
  const doubles = ran.filter(({ done }) => done.cuts.length === 2);
  return `${name}\n\n${doubles.map(({ done }) => `- ${printCase(done)}`).join("\n")}`;
}
