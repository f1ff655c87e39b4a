import { hasCode, SealtreeError } from "../errors.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { parseSecretsPath, secretsDirectory } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import { dayMs } from "./duration.ts";
import { readJournal, type Journal } from "./journal.ts";

/**
 * How far a rotation is that began and is not over. `in-flight`: the new value is not in force
 * yet; `grace`: it is, and the old one lives on for a while; `unreadable`: its journal is broken.
 */
export type FlightPhase = "in-flight" | "grace" | "unreadable";

/** A rotation that began and is not over. Times in milliseconds since 1970. */
export interface Flight {
  readonly phase: FlightPhase;
  /** Undefined when the journal cannot be read. */
  readonly startedAtMs: number | undefined;
  /** When the old credential may go; undefined before it is in grace, or while that waits for a merge. */
  readonly graceUntilMs: number | undefined;
  /**
   * From here on nobody seems to drive it: a day after it began, or after its grace was over.
   * Undefined for one that cannot be read, which is stuck at once; never, for one that waits for a merge.
   */
  readonly stuckAtMs: number | undefined;
}

/** How long a rotation may take, and how long its grace may be over, before that is news. */
const stuckAfterMs = dayMs;

/** The rotations of a tree that began and are not over, by printed address. Needs no key. */
export async function listFlights(tree: Tree): Promise<ReadonlyMap<string, Flight>> {
  const flights = new Map<string, Flight>();
  for (const path of await tree.list(secretsDirectory)) {
    const parsed = parseSecretsPath(path);
    if (parsed?.kind !== "journal") continue;
    const address = { scope: parsed.scope, name: parsed.name };
    const flight = await readFlight(tree, address);
    if (flight !== undefined) flights.set(printAddress(address), flight);
  }
  return flights;
}

/** True for a rotation that nobody seems to drive at `nowMs`. */
export function isStuck({ stuckAtMs }: Flight, nowMs: number): boolean {
  return stuckAtMs === undefined || nowMs >= stuckAtMs;
}

/** That something must wait until a rotation is over. */
export function rotationNotOver(address: Address, hints: readonly string[]): SealtreeError {
  return new SealtreeError("E_ROTATION_IN_FLIGHT", `a rotation of ${printAddress(address)} is not over`, { hints });
}

/** How far a rotation is by its journal. */
export function toFlight({ state, startedAtMs, previous }: Journal): Flight {
  const isGrace = state === "promoted" || state === "suspended";
  if (previous?.awaitsMerge === true)
    return { phase: "grace", startedAtMs, graceUntilMs: undefined, stuckAtMs: Number.POSITIVE_INFINITY };
  return {
    phase: isGrace ? "grace" : "in-flight",
    startedAtMs,
    graceUntilMs: previous?.revokeAfterMs,
    stuckAtMs: (isGrace ? (previous?.revokeAfterMs ?? startedAtMs) : startedAtMs) + stuckAfterMs,
  };
}

async function readFlight(tree: Tree, address: Address): Promise<Flight | undefined> {
  try {
    const journal = await readJournal(tree, address);
    return journal === undefined ? undefined : toFlight(journal);
  } catch (error) {
    if (!hasCode(error, "E_JOURNAL_MALFORMED", "E_UNSAFE_FILE")) throw error;
    return { phase: "unreadable", startedAtMs: undefined, graceUntilMs: undefined, stuckAtMs: undefined };
  }
}
