import type { Ground } from "./lane.ts";
import { planDoubles, planSingles, spread, type RanCase } from "./plan-cases.ts";
import { printCase, runCase, type Case, type CaseResult } from "./run-case.ts";
import type { Scenario } from "./scenarios.ts";
import { createTemplate, type Template } from "./template.ts";

/** What came of the cases of one server. */
export interface Sweep {
  readonly name: string;
  readonly version: string;
  /** The points that a run without a cut reaches, by scenario. */
  readonly points: ReadonlyMap<Scenario, readonly string[]>;
  readonly ran: readonly RanCase[];
  /** What is wrong, one sentence each. */
  readonly damage: readonly string[];
}

/** Which cases are run. */
export interface SweepSize {
  readonly scenarios: readonly Scenario[];
  /** How many with one cut, of all scenarios together; they are spread evenly. */
  readonly singles: number;
  readonly doubles: number;
}

/** Runs cases of the built command `bin` on all lanes of a server, each lane one at a time. */
export async function sweep(ground: Ground, bin: string, size: SweepSize, say: (line: string) => void): Promise<Sweep> {
  const templates = await Promise.all(ground.lanes.map((lane) => createTemplate(ground, lane, bin)));
  const started = performance.now();
  const damage: string[] = [];
  let count = 0;
  const runAll = async (cases: readonly Case[]): Promise<RanCase[]> => {
    const waiting = [...cases.entries()];
    const ran: (RanCase & { readonly index: number })[] = [];
    const work = async (template: Template) => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, done] = next;
        const result = await runCase(template, done).catch((error: unknown): CaseResult => {
          return { damage: [`it could not be run: ${String(error)}`], recovery: [], processes: 0, logins: 0 };
        });
        ran.push({ index, done, result });
        damage.push(...result.damage.map((what) => `${ground.name}: ${printCase(done)}: ${what}`));
        const seconds = Math.round((performance.now() - started) / 1000);
        const bad = result.damage.length === 0 ? "" : ` ${result.damage.join("; ")}`;
        say(`${ground.name} ${++count} ${seconds}s  ${printCase(done)}${bad}`);
      }
    };
    await Promise.all(templates.map(work));
    return ran.toSorted((a, b) => a.index - b.index);
  };
  const counted = await runAll(size.scenarios.map((scenario) => ({ scenario, cuts: [], onSameMachine: true })));
  const points = new Map(counted.map(({ done, result }) => [done.scenario, result.recovery]));
  const singles = await runAll(
    spread(
      size.scenarios.flatMap((scenario) => planSingles(scenario, points.get(scenario) ?? [])),
      size.singles,
    ),
  );
  const doubles = await runAll(planDoubles(singles, size.doubles));
  const { name, version } = ground;
  return { name, version, points, ran: [...counted, ...singles, ...doubles], damage };
}
