import { readSealedHeader } from "../crypto/sealed-header.ts";
import { isSealtreeError, type SealtreeError } from "../errors.ts";
import { printAddress, type Address, type ScopePath } from "../secret/address.ts";
import { listScopes, readScope } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { scheduleOf, stateOf, type RotationState, type Schedule } from "./due.ts";
import { listFlights, type Flight } from "./flight.ts";
import { loadRotationPolicy, ruleFor, type RotationPolicy, type Rule } from "./policy.ts";

/** One secret and its next rotation. Times are in milliseconds since 1970. */
export interface StatusEntry {
  readonly address: Address;
  readonly rule: Rule | undefined;
  readonly setAtMs: number;
  /** Undefined without a rule, and for the interval `never`. */
  readonly schedule: Schedule | undefined;
  /** That of the schedule. */
  readonly dueAtMs: number | undefined;
  readonly state: RotationState;
  /** A rotation of it that began and is not over; the state goes by the value in force alone. */
  readonly flight: Flight | undefined;
  /** As it stands in the tree, so that a rotation can tell that nobody was faster. */
  readonly record: string;
}

export interface RotationStatus {
  /** Every secret of every scope that can be read, by scope and name. */
  readonly entries: readonly StatusEntry[];
  /** Scopes that cannot be read, and why; their secrets are not in `entries`. */
  readonly unreadable: readonly { readonly scope: ScopePath; readonly error: SealtreeError }[];
  /** What the entries go by. */
  readonly policy: RotationPolicy;
}

/** The rotation state of all secrets of a tree. Needs no key and no history. Throws E_POLICY_INVALID. */
export async function rotationStatus(tree: Tree, now: Date): Promise<RotationStatus> {
  const policy = await loadRotationPolicy(tree);
  const flights = await listFlights(tree);
  const entries: StatusEntry[] = [];
  const unreadable: { scope: ScopePath; error: SealtreeError }[] = [];
  for (const scope of await listScopes(tree)) {
    try {
      entries.push(...(await listEntries(tree, scope, { policy, flights, now })));
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      unreadable.push({ scope, error });
    }
  }
  return { entries, unreadable, policy };
}

/** True for a value whose time has come. */
export function isDue({ state }: StatusEntry): boolean {
  return state === "due" || state === "overdue";
}

interface Ground {
  readonly policy: RotationPolicy;
  readonly flights: ReadonlyMap<string, Flight>;
  readonly now: Date;
}

async function listEntries(tree: Tree, scope: ScopePath, { policy, flights, now }: Ground): Promise<StatusEntry[]> {
  const entries = (await readScope(tree, scope)) ?? new Map<never, never>();
  return [...entries].map(([name, { record }]) => {
    const address = { scope, name };
    const setAtMs = readSealedHeader(record).createdAt * 1000;
    const rule = ruleFor(policy, address);
    const schedule = rule === undefined ? undefined : scheduleOf(rule, address, setAtMs);
    const state = rule === undefined ? "no-rule" : stateOf(rule, address, setAtMs, now.getTime());
    const flight = flights.get(printAddress(address));
    return { address, rule, setAtMs, schedule, dueAtMs: schedule?.dueAtMs, state, flight, record };
  });
}
