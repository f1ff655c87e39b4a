import type { ScopePath, SecretName } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import type { ReaderList } from "../crypto/generation.ts";
import { findStaleGenerations, type Keyring } from "../store/keyring.ts";
import { findTips } from "./generations.ts";
import { listReaders } from "./permission.ts";
import type { Policy } from "./policy.ts";

/** How the keyring and the records of a scope differ from what the policy asks for. Found without a key. */
export interface ScopeDrift {
  readonly scope: ScopePath;
  /** Readers by the policy that some generation is not wrapped for: `carol`, or `carol's key <fingerprint>`. */
  readonly missing: readonly string[];
  /** Whom some generation is wrapped for although the policy does not let them read; written alike. */
  readonly extra: readonly string[];
  /** Secrets whose record is under a generation that somebody who may not read now may know. */
  readonly stale: readonly SecretName[];
  /** Who that is, as far as the keyring still says; written alike. */
  readonly staleFor: readonly string[];
  /** True when a generation that somebody else may know has no successor yet. */
  readonly isUnfit: boolean;
}

/** Compares a scope with the policy. `sealedUnder` names the generation of each secret's record. */
export function findDrift(
  policy: Policy,
  scope: ScopePath,
  keyring: Keyring,
  sealedUnder: ReadonlyMap<SecretName, string>,
): ScopeDrift {
  const readers = listReaders(policy, scope);
  const wanted = new Map(readers.map(({ name, fingerprint }) => [pairOf(name, fingerprint), name]));
  const fingerprints = new Set(readers.map(({ fingerprint }) => fingerprint));
  const missing = new Map<string, string>();
  const extra = new Map<string, string>();
  for (const { wrappedFor } of keyring.values()) {
    const present = pairsOf(wrappedFor);
    for (const [pair, name] of wanted) if (!present.has(pair)) missing.set(pair, name);
    for (const [pair, name] of present) if (!wanted.has(pair)) extra.set(pair, name);
  }
  const staleIds = findStaleGenerations(keyring, fingerprints);
  const stale = [...sealedUnder].filter(([, id]) => staleIds.has(id)).map(([name]) => name);
  const staleFor = new Map<string, string>();
  for (const id of new Set(stale.map((name) => sealedUnder.get(name)))) {
    const file = keyring.get(id ?? "");
    for (const [pair, name] of file === undefined ? [] : [...pairsOf(file.mintedFor), ...pairsOf(file.wrappedFor)]) {
      if (!fingerprints.has(pair.slice(name.length + 1))) staleFor.set(pair, name);
    }
  }
  const members = new Set(wanted.values());
  return {
    scope,
    missing: describe(missing, new Set([...keyring.values()].flatMap(({ wrappedFor }) => [...wrappedFor.keys()]))),
    extra: describe(extra, members),
    stale: stale.sort(compareText),
    staleFor: describe(staleFor, members),
    isUnfit: findTips(keyring).some(({ id }) => staleIds.has(id)),
  };
}

/** True when `sealtree rekey` would change the scope. */
export function needsRekey(drift: ScopeDrift): boolean {
  return drift.missing.length > 0 || drift.extra.length > 0 || drift.stale.length > 0 || drift.isUnfit;
}

/** `name fingerprint` to name. */
function pairsOf(readers: ReaderList): Map<string, string> {
  return new Map([...readers].flatMap(([name, prints]) => prints.map((print) => [pairOf(name, print), name] as const)));
}

function pairOf(name: string, fingerprint: string): string {
  return `${name} ${fingerprint}`;
}

/** Names; one that is among `others` too differs by a key only, so the key is said. */
function describe(pairs: ReadonlyMap<string, string>, others: ReadonlySet<string>): string[] {
  const words = [...pairs].map(([pair, name]) =>
    others.has(name) ? `${name}'s key ${pair.slice(name.length + 1)}` : name,
  );
  return [...new Set(words)].sort(compareText);
}
