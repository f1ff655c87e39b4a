import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { keepBuild } from "./crashes/keep-build.ts";
import { drawTimeline } from "./quarter/draw-timeline.ts";
import { describeIncident, planIncidents } from "./quarter/incidents.ts";
import { judge } from "./quarter/judge.ts";
import { printPage } from "./quarter/print-page.ts";
import { simulate } from "./quarter/simulate.ts";
import { quarter, weeks } from "./quarter/team-plan.ts";

// QUARTER=all, which is npm run quarter, simulates the quarter and writes the page and its picture; without it
// some weeks of a smaller team are simulated by the same code.
const isAll = process.env["QUARTER"] === "all";
const docs = fileURLToPath(new URL("../../../docs/", import.meta.url));

let main: string;

beforeAll(() => {
  main = join(dirname(keepBuild()), "action", "main.js");
});

/** A quarter by commits on main, or some weeks of that; in a whole run the weeks by pull requests too. */
const variants = [
  { way: "by commits on main", size: isAll ? quarter : weeks, isByPullRequest: false },
  ...(isAll ? [{ way: "by pull requests", size: weeks, isByPullRequest: true }] : []),
];

describe("daily jobs in which things fail", () => {
  it.each(variants)(
    "rotate everything in time and nothing twice, and lose nothing, $way",
    { timeout: 3_600_000 },
    async ({ size, isByPullRequest }) => {
      const say = (line: string) => void (isAll && process.stderr.write(`${line}\n`));
      const simulation = await simulate({ size, incidents: planIncidents(size), main, say, isByPullRequest });
      const verdict = judge(simulation.evidence);
      if (isAll && size === quarter) {
        writeFileSync(join(docs, "rotation-quarter.md"), printPage(simulation, verdict));
        writeFileSync(join(docs, "images", "rotation-quarter.svg"), drawTimeline(simulation, verdict));
      }
      expect(verdict.findings).toEqual([]);
      expect(simulation.isAccepted).toBe(true);
      const missed = simulation.hits.filter(({ days }) => days.length === 0);
      expect(missed.map(({ incident }) => describeIncident(incident))).toEqual([]);
      expect(verdict.rotations.length).toBeGreaterThan(simulation.evidence.secrets.length);
    },
  );
});
