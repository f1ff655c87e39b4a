import type { ScopePath, SecretName } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import type { ReaderList } from "../crypto/generation.ts";
import { findStaleGenerations, type Keyring } from "../store/keyring.ts";
import { findTips } from "./generations.ts";
import { listReaders, type Reader } from "./permission.ts";
import type { Policy } from "./policy.ts";

/** How the keyring and the records of a scope differ from what the policy asks for. Found without a key. */
export interface ScopeDrift {
  readonly scope: ScopePath;
  /** Readers by the policy that some generation is not wrapped for: `carol`, or `carol's key <fingerprint>`. */
  readonly missing: readonly string[];
  /** Whom some generation is wrapped for although the policy does not let them read; written alike. */
  readonly extra: readonly string[];
  /** The generations that are wrapped for others than the readers by the policy, in the order of the keyring. */
  readonly generations: readonly GenerationDrift[];
  /** Secrets whose record is under a generation that somebody who may not read now may know. */
  readonly stale: readonly SecretName[];
  /** Who that is, as far as the keyring still says; written alike. */
  readonly staleFor: readonly string[];
  /** True when a generation that somebody else may know has no successor yet. */
  readonly isUnfit: boolean;
}

/** What one generation adds to {@link ScopeDrift}. */
export interface GenerationDrift {
  readonly id: string;
  readonly missing: readonly string[];
  readonly extra: readonly string[];
}

/**
 * Compares a scope with the policy. `sealedUnder` names the generation of each secret's record;
 * `readers` are those of the scope, for callers that know them.
 */
export function findDrift(
  policy: Policy,
  scope: ScopePath,
  keyring: Keyring,
  sealedUnder: ReadonlyMap<SecretName, string>,
  readers: readonly Reader[] = listReaders(policy, scope),
): ScopeDrift {
  const wanted = new Map(readers.map(({ name, fingerprint }) => [pairOf(name, fingerprint), name]));
  const fingerprints = new Set(readers.map(({ fingerprint }) => fingerprint));
  const differing = [...keyring.values()].flatMap(({ id, wrappedFor }) => {
    const present = pairsOf(wrappedFor);
    const missing = without(wanted, present);
    const extra = without(present, wanted);
    return missing.size + extra.size === 0 ? [] : [{ id, missing, extra }];
  });
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
  const wrapped = new Set([...keyring.values()].flatMap(({ wrappedFor }) => [...wrappedFor.keys()]));
  return {
    scope,
    missing: describe(new Map(differing.flatMap(({ missing }) => [...missing])), wrapped),
    extra: describe(new Map(differing.flatMap(({ extra }) => [...extra])), members),
    generations: differing.map(({ id, missing, extra }) => ({
      id,
      missing: describe(missing, wrapped),
      extra: describe(extra, members),
    })),
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

function without(pairs: ReadonlyMap<string, string>, others: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...pairs].filter(([pair]) => !others.has(pair)));
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
