import { printedAddress } from "./template.ts";

const hourMs = 3_600_000;

/** A moment by which leases of runs that are gone are over. */
export const leaseOverMs = 17 * 60_000;
/** A moment by which a grace that begins now is over. */
export const graceOverMs = 25 * hourMs;

/** How what is in grace is ended. */
export const resume = ["rotate", "--resume", "--yes", "--json"] as const;

interface ScenarioOf {
  /** The moment that it begins at. */
  readonly base: "fresh" | "inGrace" | "suspended";
  readonly argv: readonly string[];
  /** What the next run is asked for; the same again where it is left out. */
  readonly next?: readonly string[];
  /** How far the clock is ahead. */
  readonly shiftMs: number;
  /** True where the old credential ends without a grace. */
  readonly endsAtOnce: boolean;
}

const planned = { shiftMs: 0, endsAtOnce: false } as const;
const rollback = ["rollback", printedAddress, "--to", "previous", "--yes", "--json"] as const;

/** What a run is cut off in. */
export const scenarios = {
  "a rotation": { ...planned, base: "fresh", argv: ["rotate", printedAddress, "--yes", "--json"] },
  "the end of a grace": { ...planned, base: "inGrace", argv: resume, shiftMs: graceOverMs },
  "an emergency in a grace": {
    ...planned,
    base: "inGrace",
    argv: ["rotate", printedAddress, "--emergency", "--reason", "a test", "--yes", "--json"],
    endsAtOnce: true,
  },
  // The same again would go forward again where the first was recorded.
  "a rollback in a grace": { ...planned, base: "inGrace", argv: rollback, next: resume },
  "the end of a suspension": { ...planned, base: "suspended", argv: resume, shiftMs: 2 * graceOverMs },
  "a rollback from a suspension": {
    ...planned,
    base: "suspended",
    argv: rollback,
    next: resume,
    shiftMs: graceOverMs + hourMs,
  },
} as const satisfies Readonly<Record<string, ScenarioOf>>;

export type Scenario = keyof typeof scenarios;

/** Those of a server where old and new live side by side. */
export const overlapScenarios: readonly Scenario[] = [
  "a rotation",
  "the end of a grace",
  "an emergency in a grace",
  "a rollback in a grace",
];

/** How a scenario is begun, and what the next run is asked for. */
export function scenarioOf(scenario: Scenario): ScenarioOf & { readonly next: readonly string[] } {
  const found: ScenarioOf = scenarios[scenario];
  return { next: found.argv, ...found };
}
