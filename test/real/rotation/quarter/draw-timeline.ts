import { describeIncident, type Incident } from "./incidents.ts";
import type { DoneRotation, Verdict } from "./judge.ts";
import type { Hit, Simulation } from "./simulate.ts";
import { dayMs, dayOf, firstDayMs, type PlannedSecret } from "./team-plan.ts";

const column = 10;
const row = 11;
const left = 190;
const top = 58;
const lane = 15;
const groupGap = 17;
const right = 14;

const lanes: readonly (readonly [name: string, of: readonly Incident["what"][]])[] = [
  ["provider", ["provider fault", "provider down"]],
  ["job", ["killed", "two jobs", "skipped"]],
  ["git server", ["push refused", "push answer lost"]],
  ["target", ["target down"]],
  ["GitHub", ["GitHub down"]],
  ["people", ["developer", "offboarded"]],
];

const style = `
  text { font: 10px ui-sans-serif, system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 14px; font-weight: 600; }
  .faint { fill: #59636e; }
  .name { font: 8.5px ui-monospace, monospace; fill: #59636e; }
  .back { fill: #ffffff; }
  .line { stroke: #d1d9e0; stroke-width: 1; }
  .week { fill: #f6f8fa; }
  .off { fill: #d1d9e0; opacity: 0.55; }
  .grace { fill: #9ec5fe; }
  .wait { stroke: #59636e; stroke-width: 1; stroke-dasharray: 2 1.5; }
  .time { fill: #0550ae; }
  .after { fill: #bc4c00; }
  .extra { fill: #8250df; }
  .bad { fill: #cf222e; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .faint, .name { fill: #9198a1; }
    .back { fill: #0d1117; }
    .line { stroke: #3d444d; }
    .week { fill: #151b23; }
    .off { fill: #3d444d; }
    .grace { fill: #1f4b85; }
    .wait { stroke: #9198a1; }
    .time { fill: #79c0ff; }
    .after { fill: #f0883e; }
    .extra { fill: #d2a8ff; }
    .bad { fill: #ff7b72; }
  }`;

/** The days of a simulation as SVG: a row a secret, a column a day. Loads nothing; the same for the same simulation. */
export function drawTimeline(simulation: Simulation, { rotations }: Verdict): string {
  const { size, evidence, hits, skipped } = simulation;
  const used = lanes.filter(([, of]) =>
    hits.some(({ incident, days }) => of.includes(incident.what) && days.length > 0),
  );
  const rows = placeRows(evidence.secrets, top + used.length * lane + 8);
  const width = left + size.days * column + right;
  const bottom = rows.end + 6;
  const height = bottom + 40;
  const x = (day: number) => left + day * column;
  const parts = [
    `<rect class="back" width="${width}" height="${height}"/>`,
    `<text class="title" x="12" y="22">${evidence.secrets.length} secrets, ${size.days} days, a job a day: ${rotations.length} rotations</text>`,
    ...drawDays(size.days, skipped, bottom, x),
    ...used.flatMap((each, index) => drawLane(each, hits, top + index * lane, x)),
    ...rows.groups.map(({ y, text }) => `<text x="12" y="${y}">${text}</text>`),
    ...rows.secrets.flatMap(({ secret, y }) => drawSecret(simulation, secret, rotations, y, x)),
    ...drawLegend(bottom + 22),
  ];
  const said = `A row for each secret, by rule; a mark on each day on which it was rotated. ${rotations.length} rotations.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="t d">
<title id="t">A simulated quarter of rotations</title>
<desc id="d">${said}</desc>
<style>${style}
</style>
${parts.join("\n")}
</svg>
`;
}

function placeRows(secrets: readonly PlannedSecret[], from: number) {
  const groups: { readonly y: number; readonly text: string }[] = [];
  const placed: { readonly secret: PlannedSecret; readonly y: number }[] = [];
  let y = from;
  let last = "";
  for (const secret of secrets) {
    const text = `${secret.kind}, every ${secret.intervalDays} days`;
    if (text !== last) {
      groups.push({ y: y + 12, text });
      y += groupGap;
      last = text;
    }
    placed.push({ secret, y });
    y += row;
  }
  return { groups, secrets: placed, end: y };
}

function drawDays(days: number, skipped: readonly number[], bottom: number, x: (day: number) => number): string[] {
  const parts: string[] = [];
  for (let day = 0; day < days; day++) {
    const date = new Date(firstDayMs + day * dayMs);
    if (Math.floor(day / 7) % 2 === 1)
      parts.push(`<rect class="week" x="${x(day)}" y="${top - 8}" width="${column}" height="${bottom - top + 8}"/>`);
    if (skipped.includes(day))
      parts.push(`<rect class="off" x="${x(day)}" y="${top - 8}" width="${column}" height="${bottom - top + 8}"/>`);
    if (date.getUTCDate() === 1) {
      const month = date.toLocaleDateString("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
      parts.push(`<line class="line" x1="${x(day)}" x2="${x(day)}" y1="34" y2="${bottom}"/>`);
      parts.push(`<text class="faint" x="${x(day) + 3}" y="40">${month}</text>`);
    } else if (date.getUTCDate() % 7 === 1)
      parts.push(`<text class="faint" x="${x(day)}" y="49" font-size="8">${date.getUTCDate()}</text>`);
  }
  return parts;
}

function drawLane(
  [name, of]: (typeof lanes)[number],
  hits: readonly Hit[],
  y: number,
  x: (day: number) => number,
): string[] {
  const own = hits.filter(({ incident }) => of.includes(incident.what));
  const marks = own.flatMap(({ incident, days }) =>
    days.map((day) => {
      const shape =
        incident.what === "developer" || incident.what === "offboarded"
          ? `<path class="extra" d="${diamond(x(day) + column / 2, y + 5)}"/>`
          : `<path class="bad" d="${cross(x(day) + column / 2, y + 5)}"/>`;
      return `<g><title>day ${day}: ${describeIncident(incident)}</title>${shape}</g>`;
    }),
  );
  return [`<text class="faint" x="12" y="${y + 9}">${name}</text>`, ...marks];
}

function drawSecret(
  { evidence, size }: Simulation,
  secret: PlannedSecret,
  rotations: readonly DoneRotation[],
  y: number,
  x: (day: number) => number,
): string[] {
  const parts = [
    `<text class="name" x="${left - 6}" y="${y + 8.5}" text-anchor="end">${secret.address}</text>`,
    `<line class="line" x1="${left}" x2="${x(size.days)}" y1="${y + row}" y2="${y + row}" opacity="0.35"/>`,
  ];
  const own = rotations.filter(({ address, day }) => address === secret.address && day < size.days);
  for (const { day, dueDay, lastDay, isExtra } of own) {
    const values = evidence.values.filter(({ address }) => address === secret.address);
    const index = values.findIndex(({ atMs }) => dayOf(atMs) === day);
    const [fromMs, untilMs] = [values[index]?.atMs ?? 0, values[index + 1]?.atMs ?? Number.POSITIVE_INFINITY];
    // What is ended before the old one is a new one that a run had lost.
    const ended = evidence.service.findLast(
      ({ account, what, atMs }) =>
        account === secret.account && what === "ended" && atMs >= fromMs && atMs < untilMs - dayMs,
    );
    const endDay = Math.min(ended === undefined ? day : dayOf(ended.atMs), size.days - 1);
    if (secret.kind !== "generate" && endDay > day)
      parts.push(
        `<rect class="grace" x="${x(day) + column / 2}" y="${y + 3}" width="${(endDay - day) * column}" height="5" rx="2"/>`,
      );
    if (day > dueDay && !isExtra)
      parts.push(
        `<line class="wait" x1="${x(Math.max(dueDay, 0)) + column / 2}" x2="${x(day)}" y1="${y + 5.5}" y2="${y + 5.5}"/>`,
      );
    const kind = isExtra ? "extra" : day > lastDay || day < dueDay ? "bad" : day > dueDay ? "after" : "time";
    parts.push(`<circle class="${kind}" cx="${x(day) + column / 2}" cy="${y + 5.5}" r="3.6"/>`);
  }
  return parts;
}

function drawLegend(y: number): string[] {
  const entries = [
    [`<circle class="time" cx="6" cy="-3.5" r="3.6"/>`, "rotated on the day it was due", 176],
    [`<circle class="after" cx="6" cy="-3.5" r="3.6"/>`, "on the first day on which it could be", 206],
    [`<circle class="extra" cx="6" cy="-3.5" r="3.6"/>`, "before: a reader left", 138],
    [`<rect class="grace" x="0" y="-6" width="14" height="5" rx="2"/>`, "old one still let in", 130],
    [`<path class="bad" d="${cross(6, -3.5)}"/>`, "something failed", 122],
    [`<rect class="off" x="1" y="-9" width="10" height="11"/>`, "no job ran", 80],
  ] as const;
  let at = 12;
  return entries.map(([shape, text, wide]) => {
    const drawn = `<g transform="translate(${at} ${y})">${shape}<text x="19" y="0">${text}</text></g>`;
    at += wide;
    return drawn;
  });
}

function cross(x: number, y: number): string {
  return `M${x - 3.5} ${y - 2.2}l1.3 -1.3l2.2 2.2l2.2 -2.2l1.3 1.3l-2.2 2.2l2.2 2.2l-1.3 1.3l-2.2 -2.2l-2.2 2.2l-1.3 -1.3l2.2 -2.2z`;
}

function diamond(x: number, y: number): string {
  return `M${x} ${y - 4}l4 4l-4 4l-4 -4z`;
}
