import type { Policy } from "../access/policy.ts";
import type { ScopePath } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import { indexValues } from "./report-changes.ts";
import type { SealedState, ScopeSnapshot, Snapshots } from "./report-snapshot.ts";

/** Values that somebody can read, by scope. */
export type Reach = ReadonlyMap<ScopePath, number>;

/** What somebody can read now and could not, or could and cannot any more. */
export interface ReachChange {
  readonly gained: Reach;
  readonly lost: Reach;
}

/** How the reach of a member, a recovery key or a stranger in a keyring changes. */
export interface AccessChange {
  readonly name: string;
  readonly kind: "person" | "machine" | "recovery" | "stranger";
  /** What the policy lets them read; undefined when a side has no policy that can be understood. */
  readonly byPolicy: ReachChange | undefined;
  /** What the keyrings open for them. */
  readonly byKeyrings: ReachChange;
  /** Values they could read before, by policy or keyring, may not read now, and that still are in force. */
  readonly stillKnown: Reach;
}

/** Both sides of a comparison. */
export interface AccessSides {
  readonly before: Snapshots;
  readonly after: Snapshots;
  readonly oldPolicy: Policy | undefined;
  readonly newPolicy: Policy | undefined;
  /** Who may read a scope by the policy of the base, also one that the base does not have. */
  readonly oldReadersOf: (scope: ScopePath) => ReadonlySet<string> | undefined;
  readonly newReadersOf: (scope: ScopePath) => ReadonlySet<string> | undefined;
}

/**
 * Who gains and who loses read access, to how many values in which scopes. A value that stood
 * elsewhere is gained by whoever could not read it there; a new one by whom the policy of the base
 * would not have let read the scope. Needs no key. By name.
 */
export function compareAccess(sides: AccessSides): AccessChange[] {
  const { before, after, oldPolicy, newPolicy } = sides;
  const policy = compareReach(sides, {
    oldReaders: sides.oldReadersOf,
    newReaders: sides.newReadersOf,
  });
  // A scope that a side does not have has no keyring there: the policy says who would have been in it.
  const openersAt =
    (snapshots: Snapshots, otherwise: AccessSides["oldReadersOf"]) =>
    (scope: ScopePath, state: SealedState | undefined) => {
      const snapshot = snapshots.get(scope);
      if (snapshot === undefined) return otherwise(scope);
      return state?.generation === undefined ? snapshot.anyOpener : snapshot.openers.get(state.generation);
    };
  const keyrings = compareReach(sides, {
    oldReaders: openersAt(before, sides.oldReadersOf),
    newReaders: openersAt(after, sides.newReadersOf),
  });
  const known = listStillKnown(sides);
  const hasPolicies = newPolicy !== undefined && (oldPolicy !== undefined || before.size === 0);
  const names = [...new Set([...policy.keys(), ...keyrings.keys(), ...known.keys()])].sort(compareText);
  return names.map((name) => ({
    name,
    kind: kindOf(name, newPolicy, oldPolicy),
    byPolicy: hasPolicies ? (policy.get(name) ?? none()) : undefined,
    byKeyrings: keyrings.get(name) ?? none(),
    stillKnown: known.get(name) ?? new Map<ScopePath, number>(),
  }));
}

type ReadersOf = (scope: ScopePath, state: SealedState | undefined) => ReadonlySet<string> | undefined;

interface Readers {
  readonly oldReaders: ReadersOf;
  readonly newReaders: ReadersOf;
}

interface MutableReach {
  readonly gained: Map<ScopePath, number>;
  readonly lost: Map<ScopePath, number>;
}

const nobody: ReadonlySet<string> = new Set();

function compareReach({ before, after }: AccessSides, readers: Readers): ReadonlyMap<string, MutableReach> {
  const found = new Map<string, MutableReach>();
  const reachOf = (name: string) => {
    const reach = found.get(name) ?? none();
    found.set(name, reach);
    return reach;
  };
  const oldReadersOf = uniteReaders(before, readers.oldReaders);
  const newReadersOf = uniteReaders(after, readers.newReaders);
  for (const { scope, secrets } of after.values()) {
    for (const state of secrets.values()) {
      const now = readers.newReaders(scope, state) ?? nobody;
      const was = oldReadersOf(state) ?? readers.oldReaders(scope, undefined) ?? nobody;
      if (was !== now) for (const name of now) if (!was.has(name)) increase(reachOf(name).gained, scope);
    }
  }
  for (const { scope, secrets } of before.values()) {
    for (const state of secrets.values()) {
      const was = readers.oldReaders(scope, state) ?? nobody;
      const now = newReadersOf(state) ?? readers.newReaders(scope, undefined) ?? nobody;
      if (was !== now) for (const name of was) if (!now.has(name)) increase(reachOf(name).lost, scope);
    }
  }
  return found;
}

/** Who can read a value at one of the places where it stands; undefined for one that stands nowhere. */
function uniteReaders(
  snapshots: Snapshots,
  readersOf: ReadersOf,
): (state: SealedState) => ReadonlySet<string> | undefined {
  const places = indexValues(snapshots);
  const known = new Map<string, ReadonlySet<string>>();
  return ({ valueId = "" }) => {
    const found = known.get(valueId);
    const addresses = places.get(valueId);
    if (found !== undefined || addresses === undefined) return found;
    const sets = new Set(
      addresses.map(({ scope, name }) => readersOf(scope, snapshots.get(scope)?.secrets.get(name)) ?? nobody),
    );
    const [first = nobody] = sets;
    const united = sets.size === 1 ? first : new Set([...sets].flatMap((names) => [...names]));
    known.set(valueId, united);
    return united;
  };
}

/** Values of the base in force at the head, by those who could read them then and may not now. */
function listStillKnown(sides: AccessSides): ReadonlyMap<string, Map<ScopePath, number>> {
  const { before, after } = sides;
  const places = indexValues(after);
  const mayRead = uniteReaders(after, (scope) => sides.newReadersOf(scope));
  const found = new Map<string, Map<ScopePath, number>>();
  if (sides.newPolicy === undefined) return found;
  for (const snapshot of before.values()) {
    for (const state of snapshot.secrets.values()) {
      const may = mayRead(state);
      if (may === undefined) continue;
      for (const name of knowersOf(snapshot, state, sides.oldReadersOf(snapshot.scope))) {
        if (may.has(name) || !wasReader(sides, snapshot.scope, name)) continue;
        const reach = found.get(name) ?? new Map<ScopePath, number>();
        found.set(name, reach);
        increase(reach, places.get(state.valueId ?? "")?.[0]?.scope ?? snapshot.scope);
      }
    }
  }
  return found;
}

/** True for somebody whom the base let read or had in a keyring: whoever was gone before is no news. */
function wasReader(sides: AccessSides, scope: ScopePath, name: string): boolean {
  return sides.oldReadersOf(scope)?.has(name) === true || sides.before.get(scope)?.anyOpener.has(name) === true;
}

function knowersOf(
  { knowers }: ScopeSnapshot,
  { generation }: SealedState,
  allowed: ReadonlySet<string> | undefined,
): ReadonlySet<string> {
  const known = generation === undefined ? undefined : knowers.get(generation);
  return known === undefined ? (allowed ?? nobody) : new Set([...known, ...(allowed ?? [])]);
}

function kindOf(name: string, ...policies: readonly (Policy | undefined)[]): AccessChange["kind"] {
  for (const policy of policies) {
    const kind = policy?.members.get(name)?.kind;
    if (kind !== undefined) return kind;
    if (policy?.recovery.has(name) === true) return "recovery";
  }
  return "stranger";
}

function increase(reach: Map<ScopePath, number>, scope: ScopePath): void {
  reach.set(scope, (reach.get(scope) ?? 0) + 1);
}

function none(): MutableReach {
  return { gained: new Map<ScopePath, number>(), lost: new Map<ScopePath, number>() };
}

/** How many values a reach has. */
export function countValues(reach: Reach): number {
  return [...reach.values()].reduce((total, values) => total + values, 0);
}
