import { describeIncident } from "./incidents.ts";
import type { DoneRotation, Verdict } from "./judge.ts";
import type { Hit, Simulation } from "./simulate.ts";
import { dayMs, dayOf, firstDayMs, type Kind, type PlannedSecret } from "./team-plan.ts";

const means: Readonly<Record<Kind, string>> = {
  generate: "`generate`",
  keys: "`http`, minted: a service that makes keys, two an account",
  "keys by a program": "`exec`, minted: the same, by a program",
  passwords: "`http`, chosen: old and new are let in",
  "one key": "`http`, rolled: the old one ends at once, so a person starts the job by name",
  "by hand": "`manual`: a person makes it, up to three days after the issue asks",
};

/** docs/rotation-quarter.md, of what was simulated just now. */
export function printPage(simulation: Simulation, verdict: Verdict): string {
  const { size, evidence, hits, jobs, heartbeats, logins, commits, isAccepted } = simulation;
  const { rotations, findings } = verdict;
  const count = (is: (each: DoneRotation) => boolean) => rotations.filter(is).length;
  const onTime = count(({ day, dueDay, isExtra }) => !isExtra && day === Math.max(dueDay, 0));
  const extra = count(({ isExtra }) => isExtra);
  const refused = evidence.service.filter(({ what, atMs }) => what === "refused" && atMs >= firstDayMs).length;
  const oneKey = rotations.filter(({ address }) => kindOf(evidence.secrets, address) === "one key").length;
  const ended = evidence.service.filter(({ what, atMs }) => what === "ended" && atMs >= firstDayMs).length;
  return `# A quarter of rotations

Written by \`npm run quarter\`, which simulates ${size.days} days: a team with ${evidence.secrets.length} secrets, a git server, services that
know which credentials are let in, two targets, and the workflow of [action.md](action.md#rotate) once a day. Every
job is the built Action in processes of its own, in a fresh clone, with its clock at that day; people set, start,
push and leave in between. How one rotation survives each crash is in [rotation-crashes.md](rotation-crashes.md).

![Each secret a row, each day a column: when it was rotated, how long the old credential was let in, and what failed](images/rotation-quarter.svg)

| | |
| --- | --- |
| jobs | ${jobs} |
| commits on main | ${commits}, ${isAccepted ? "all signed, and accepted by `sealtree verify`" : "**not accepted by `sealtree verify`**"} |
| rotations | ${rotations.length} |
| on the day they were due | ${onTime} |
| on the first day after on which they could be | ${rotations.length - onTime - extra} |
| before, as a reader left | ${extra} |
| old credentials ended | ${ended} |
| logins of programs | ${logins} |
| refused | ${refused}${refused === 0 ? "" : `, all while an only key was replaced (${oneKey} times)`} |
| looks of the heartbeat | ${heartbeats.length}, ${heartbeats.filter(({ code }) => code !== 0).length} of them with an alarm, which is for three days without a job that succeeded |
| late, twice, lost, left behind | ${findings.length === 0 ? "none" : findings.length} |

Programs log in with what their target holds and with what main holds: every night, before and after each request
that a job makes of the git server, and when people are done. What is judged is git's own log, with the headers of
the records in it, and what the service itself wrote down; what the program reports counts for nothing. A rotation
is in time on the day it is due, or on the first day after on which nothing made it impossible: a provider that was
down, a push that nobody took, a job that was killed or never started, and by hand the days of the person. It is
done twice when it is done before it is due. Nothing is lost when, in the end, the service lets in what main has,
the targets have what main has, and no account has a credential that main does not know.
${findings.map(({ address, text }) => `\n- **${address}** ${text}`).join("")}
## Secrets

${printTable(["rule", "interval", "secrets", "rotations", "latest"], printGroups(evidence.secrets, rotations))}

\`latest\` is how many days after its day the latest was done.

## What was done to it

${printTable(
  ["day", "what", "what came of it"],
  hits
    .toSorted(firstDay)
    .map((hit) => [printDays(hit), describeIncident(hit.incident), printOutcome(simulation, rotations, hit)]),
)}
`;
}

function printGroups(secrets: readonly PlannedSecret[], rotations: readonly DoneRotation[]): string[][] {
  const groups = new Map<string, PlannedSecret[]>();
  for (const secret of secrets) {
    const group = `${secret.kind}/${secret.intervalDays}`;
    groups.set(group, [...(groups.get(group) ?? []), secret]);
  }
  return [...groups.values()].map((group) => {
    const own = rotations.filter(({ address }) => group.some((secret) => secret.address === address));
    const latest = Math.max(0, ...own.map(({ day, dueDay }) => day - Math.max(dueDay, 0)));
    const { kind = "generate", intervalDays = 0 } = group[0] ?? {};
    return [means[kind], `${intervalDays} d`, String(group.length), String(own.length), String(latest)];
  });
}

function firstDay(a: Hit, b: Hit): number {
  return (a.days[0] ?? 0) - (b.days[0] ?? 0);
}

function printDays({ days }: Hit): string {
  return days.map((day) => new Date(firstDayMs + day * dayMs).toISOString().slice(5, 10)).join(", ") || "never";
}

function printOutcome(
  { evidence }: Simulation,
  rotations: readonly DoneRotation[],
  { incident, days, at }: Hit,
): string {
  const waited = rotations.filter(
    ({ address, day, dueDay, isExtra }) =>
      !isExtra &&
      // A person has their own days.
      kindOf(evidence.secrets, address) !== "by hand" &&
      days.some((each) => dueDay <= each && day > each),
  );
  const done = rotations.filter(({ day, address }) => days.includes(day) && isAt(evidence.secrets, address, at));
  if (incident.what === "provider fault") {
    const own = waited.filter(({ address }) => isAt(evidence.secrets, address, at));
    return `${nameOf(evidence.secrets, at)}: ${done.length > 0 ? "done by the same job" : waitedText(own)}`;
  }
  if (incident.what === "two jobs") return `${done.length} rotated, each by one of them`;
  if (incident.what === "offboarded")
    return `${rotations.filter(({ isExtra }) => isExtra).length} rotated, none of them twice`;
  if (incident.what === "target down")
    return `old credentials that were let in for longer, until the target had the new ones: ${countKept(evidence, days)}`;
  return `${done.length} rotated, ${waitedText(waited)}`;
}

function waitedText(waited: readonly DoneRotation[]): string {
  if (waited.length === 0) return "none waited";
  const last = Math.max(...waited.map(({ day }) => day));
  return `${waited.length} waited, the last until ${new Date(firstDayMs + last * dayMs).toISOString().slice(5, 10)}`;
}

/** Old credentials that were to be ended on one of `days` and were ended later. */
function countKept({ service, values, secrets }: Simulation["evidence"], days: readonly number[]): number {
  return values.filter(({ address, atMs }) => {
    const secret = secrets.find((each) => each.address === address);
    const isConcerned = secret !== undefined && address.startsWith("prod/") && days.includes(dayOf(atMs));
    if (!isConcerned || secret.kind === "generate" || secret.kind === "by hand") return false;
    const ended = service.find((it) => it.account === secret.account && it.what === "ended" && it.atMs >= atMs);
    return ended !== undefined && dayOf(ended.atMs) > dayOf(atMs) + 1;
  }).length;
}

function isAt(secrets: readonly PlannedSecret[], address: string, account: string): boolean {
  return account === "" || secrets.some((secret) => secret.address === address && secret.account === account);
}

function nameOf(secrets: readonly PlannedSecret[], account: string): string {
  return `\`${secrets.find((secret) => secret.account === account)?.address ?? "nothing"}\``;
}

function kindOf(secrets: readonly PlannedSecret[], address: string): Kind | undefined {
  return secrets.find((secret) => secret.address === address)?.kind;
}

function printTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
