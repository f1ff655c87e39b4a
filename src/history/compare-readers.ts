import { listReaders } from "../access/permission.ts";
import type { Policy } from "../access/policy.ts";
import type { ScopePath } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import type { Keyring } from "../store/keyring.ts";

/** Somebody who can read a scope on one side and not on the other, or with other keys. */
export interface ReaderChange {
  readonly name: string;
  readonly change: "gains" | "loses" | "keys";
  /** What holds on the later side: the policy lets them read. */
  readonly mayRead: boolean;
  /** What holds on the later side: some generation is wrapped for them. */
  readonly canOpen: boolean;
}

/** The readers of a scope on one side. */
export interface ScopeReaders {
  /** By the keyring: name to fingerprints. */
  readonly can: ReadonlyMap<string, ReadonlySet<string>>;
  /** By the policy. */
  readonly may: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Who can open some generation of a scope, by the lists it is wrapped for, and who may read it by the policy. */
export function readersOf(policy: Policy | undefined, scope: ScopePath, keyring: Keyring): ScopeReaders {
  const can = new Map<string, Set<string>>();
  const may = new Map<string, Set<string>>();
  for (const { wrappedFor } of keyring.values())
    for (const [name, prints] of wrappedFor) for (const print of prints) add(can, name, print);
  if (policy !== undefined) for (const { name, fingerprint } of listReaders(policy, scope)) add(may, name, fingerprint);
  return { can, may };
}

/** Sorted by name. Gaining and losing go by the policy and by the keyring: one of them is enough. */
export function compareReaders(before: ScopeReaders, after: ScopeReaders): ReaderChange[] {
  const names = [before.can, before.may, after.can, after.may].flatMap((side) => [...side.keys()]);
  return [...new Set(names)].sort(compareText).flatMap((name): ReaderChange[] => {
    const state = { name, mayRead: after.may.has(name), canOpen: after.can.has(name) };
    const steps = [step(before.can, after.can, name), step(before.may, after.may, name)];
    const changes: ReaderChange[] = [];
    if (steps.includes(1)) changes.push({ ...state, change: "gains" });
    if (steps.includes(-1)) changes.push({ ...state, change: "loses" });
    const hasOtherKeys = [before.can, before.may].some((side, index) =>
      differs(side.get(name), (index === 0 ? after.can : after.may).get(name)),
    );
    if (changes.length === 0 && hasOtherKeys) changes.push({ ...state, change: "keys" });
    return changes;
  });
}

function step(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>, name: string): number {
  return Number(after.has(name)) - Number(before.has(name));
}

function differs(a: ReadonlySet<string> | undefined, b: ReadonlySet<string> | undefined): boolean {
  return a !== undefined && b !== undefined && (a.size !== b.size || [...a].some((print) => !b.has(print)));
}

function add(map: Map<string, Set<string>>, name: string, fingerprint: string): void {
  map.set(name, (map.get(name) ?? new Set()).add(fingerprint));
}
