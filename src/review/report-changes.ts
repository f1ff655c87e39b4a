import { printAddress, type Address, type ScopePath, type SecretName } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import type { ScopeSnapshot, SealedState, Snapshots } from "./report-snapshot.ts";

/**
 * What became of a secret. `resealed`: the value stayed. `moved` and `copied`: the value stood
 * elsewhere before. `rolled-back`: the scope had this value at some time before. `unreadable`: the
 * record changed, and its header cannot be read.
 */
export const changeKinds = [
  "added",
  "changed",
  "rolled-back",
  "moved",
  "copied",
  "removed",
  "unreadable",
  "resealed",
] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** One secret that is not as it was, as far as can be told without a key. */
export interface SecretChange extends Address {
  readonly kind: ChangeKind;
  readonly before: SealedState | undefined;
  readonly after: SealedState | undefined;
  /** Where the value stood before; only of what was moved or copied. */
  readonly from: Address | undefined;
  /** The value of a drop was sealed by a reader. */
  readonly isAdopted: boolean;
  /** Other bytes under the same value id and generation: the id alone says that the value stayed. */
  readonly isUnproven: boolean;
}

/** What became of a scope. */
export interface ScopeChange {
  readonly scope: ScopePath;
  readonly state: "added" | "removed" | "changed";
  /** By name. */
  readonly secrets: readonly SecretChange[];
  /** False when a side cannot be read as a whole: then nothing is called removed or added. */
  readonly isWhole: boolean;
  /** How many comments above secrets are others. */
  readonly comments: number;
}

/** Compares two trees secret by secret. `moved` and `copied` are known by the value id. Needs no key. */
export function listScopeChanges(before: Snapshots, after: Snapshots): ScopeChange[] {
  const origins = indexValues(before);
  const scopes = [...new Set([...before.keys(), ...after.keys()])].sort(compareText);
  const taken = new Set<string>();
  const changes = scopes.map((scope) => {
    const [old, now] = [before.get(scope), after.get(scope)];
    const isWhole = old?.isWhole !== false && now?.isWhole !== false;
    const names = [...new Set([...(old?.secrets.keys() ?? []), ...(now?.secrets.keys() ?? [])])].sort(compareText);
    const secrets = names.flatMap((name): SecretChange[] => {
      const change = compareSecret({ scope, name }, old?.secrets.get(name), now?.secrets.get(name));
      if (change === undefined) return [];
      if (!isWhole && (change.kind === "added" || change.kind === "removed")) return [];
      return [findOrigin(change, origins, after, taken)];
    });
    const state =
      old === undefined ? ("added" as const) : now === undefined ? ("removed" as const) : ("changed" as const);
    return { scope, state, secrets, isWhole, comments: countComments(old, now) };
  });
  return changes
    .map((change) => ({ ...change, secrets: change.secrets.filter((secret) => !isTaken(secret, taken)) }))
    .filter(({ state, secrets, isWhole, comments }) => {
      return state !== "changed" || secrets.length > 0 || !isWhole || comments > 0;
    });
}

function compareSecret(
  address: Address,
  before: SealedState | undefined,
  after: SealedState | undefined,
): SecretChange | undefined {
  if (before?.record === after?.record) return undefined;
  const base = { ...address, before, after, from: undefined, isAdopted: false, isUnproven: false };
  if (after === undefined) return { ...base, kind: "removed" };
  if (after.valueId === undefined) return { ...base, kind: "unreadable" };
  if (before === undefined) return { ...base, kind: "added" };
  if (before.valueId !== after.valueId) return { ...base, kind: "changed" };
  return {
    ...base,
    kind: "resealed",
    isAdopted: before.isDrop && !after.isDrop,
    isUnproven: before.generation === after.generation && before.isDrop === after.isDrop,
  };
}

function findOrigin(
  change: SecretChange,
  origins: ReadonlyMap<string, readonly Address[]>,
  after: Snapshots,
  taken: Set<string>,
): SecretChange {
  const valueId = change.after?.valueId;
  if ((change.kind !== "added" && change.kind !== "changed") || valueId === undefined) return change;
  const places = origins.get(valueId) ?? [];
  const isLeft = ({ scope, name }: Address) => after.get(scope)?.secrets.get(name)?.valueId !== valueId;
  const left = places.find((place) => isLeft(place) && !taken.has(printAddress(place)));
  if (left !== undefined) {
    taken.add(printAddress(left));
    return { ...change, kind: "moved", from: left };
  }
  const [place] = places;
  return place === undefined ? change : { ...change, kind: "copied", from: place };
}

/** True for the old place of what was moved: it is told at the new one. */
function isTaken(change: SecretChange, taken: ReadonlySet<string>): boolean {
  return change.kind === "removed" && taken.has(printAddress(change));
}

/** Where each value stands. */
export function indexValues(snapshots: Snapshots): ReadonlyMap<string, readonly Address[]> {
  const index = new Map<string, Address[]>();
  for (const { scope, secrets } of snapshots.values()) {
    for (const [name, { valueId }] of secrets) {
      if (valueId === undefined) continue;
      const places = index.get(valueId);
      if (places === undefined) index.set(valueId, [{ scope, name }]);
      else places.push({ scope, name });
    }
  }
  return index;
}

function countComments(before: ScopeSnapshot | undefined, after: ScopeSnapshot | undefined): number {
  if (before === undefined || after === undefined) return 0;
  const text = (snapshot: ScopeSnapshot, name: SecretName) => snapshot.entries.get(name)?.comments.join("\n") ?? "";
  return [...after.entries.keys()].filter(
    (name) => before.entries.has(name) && text(before, name) !== text(after, name),
  ).length;
}

/** The changes of all scopes in one list. */
export function listSecretChanges(scopes: readonly ScopeChange[]): SecretChange[] {
  return scopes.flatMap(({ secrets }) => secrets);
}
