import type { ScopePath } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import type { Keyring } from "../store/keyring.ts";
import { listReaders } from "./permission.ts";
import type { Policy } from "./policy.ts";

/** Somebody who can read a scope now, by the policy or by a keyring file. */
export interface PresentReader {
  readonly name: string;
  readonly kind: "person" | "machine" | "recovery" | "stranger";
  readonly roles: readonly string[];
  /** Sorted; keys that the policy or the keyring has. */
  readonly fingerprints: readonly string[];
  /** Keys that the policy lets read and that some generation is not wrapped for. */
  readonly missing: readonly string[];
  /** Keys that some generation is wrapped for and that the policy does not let read. */
  readonly extra: readonly string[];
}

/**
 * Who can read now, by name: whom the policy lets read `scope`, and for whom the generations in
 * `keyring` are wrapped. The two agree when nobody has a missing or an extra key. `keyring` may
 * be a part of the scope's.
 */
export function listPresentReaders(policy: Policy, scope: ScopePath, keyring: Keyring): PresentReader[] {
  const wanted = new Map<string, Set<string>>();
  for (const { name, fingerprint } of listReaders(policy, scope)) add(wanted, name, fingerprint);
  const files = [...keyring.values()].map(({ wrappedFor }) => wrappedFor);
  const wrapped = new Map<string, Set<string>>();
  for (const list of files) for (const [name, prints] of list) for (const print of prints) add(wrapped, name, print);
  return [...new Set([...wanted.keys(), ...wrapped.keys()])].sort(compareText).map((name) => {
    const [due, there] = [wanted.get(name) ?? new Set<string>(), wrapped.get(name) ?? new Set<string>()];
    return {
      name,
      kind: policy.members.get(name)?.kind ?? (policy.recovery.has(name) ? "recovery" : "stranger"),
      roles: policy.members.get(name)?.roles ?? [],
      fingerprints: [...new Set([...due, ...there])].sort(compareText),
      missing: [...due]
        .filter((print) => files.some((list) => list.get(name)?.includes(print) !== true))
        .sort(compareText),
      extra: [...there].filter((print) => !due.has(print)).sort(compareText),
    };
  });
}

function add(map: Map<string, Set<string>>, name: string, fingerprint: string): void {
  map.set(name, (map.get(name) ?? new Set()).add(fingerprint));
}
