import type { Policy, Removal } from "../access/policy.ts";
import { fingerprintOf } from "../crypto/recipient.ts";
import { SealtreeError } from "../errors.ts";
import { suggest } from "../secret/suggest.ts";
import type { ReadableHistory } from "./history-traces.ts";
import { splitReader } from "./scan-readers.ts";

/** Who is asked about: a member or recovery key by name, past or present, or a key by its fingerprint. */
export type SubjectQuery = { readonly name: string } | { readonly fingerprint: string };

/** Somebody, and every key that is known to be theirs. */
export interface Subject {
  /** As it was asked for; undefined when asked for by key. */
  readonly name: string | undefined;
  /** Sorted. */
  readonly fingerprints: ReadonlySet<string>;
  /** True for a name, or the key of a member, that the present policy has. */
  readonly isMember: boolean;
  /** What the policy says of their removal. */
  readonly removed: Removal | undefined;
}

/**
 * Everything a name is known by in the policy and in the history. Throws E_MEMBER_NOT_FOUND for
 * a name or a key that neither of them has.
 */
export function resolveSubject(query: SubjectQuery, policy: Policy, history: ReadableHistory): Subject {
  const past = listPast(history);
  return "name" in query
    ? resolveName(query.name, policy, past)
    : resolveKey(query.fingerprint.toLowerCase(), policy, past);
}

/** True when a reader has the name or one of the keys. */
export function isSubject(
  { name, fingerprints }: Subject,
  reader: { readonly name: string; readonly fingerprint: string },
): boolean {
  return reader.name === name || fingerprints.has(reader.fingerprint);
}

function resolveName(name: string, policy: Policy, past: ReadonlyMap<string, ReadonlySet<string>>): Subject {
  const recipients = policy.members.get(name)?.recipients ?? policy.recovery.get(name);
  const removed = policy.removed.get(name);
  const removedKeys = [...policy.removedKeys].filter(([, { member }]) => member === name);
  const [key] = removedKeys;
  if (recipients === undefined && removed === undefined && key === undefined && !past.has(name)) {
    const known = [...policy.members.keys(), ...policy.recovery.keys(), ...policy.removed.keys(), ...past.keys()];
    throw new SealtreeError("E_MEMBER_NOT_FOUND", "nobody of that name can read anything, or ever could", {
      hints: [...suggest(name, [...new Set(known)]), "sealtree member list shows the members"],
    });
  }
  const fingerprints = [
    ...(recipients ?? []).map(({ text }) => fingerprintOf(text)),
    ...removedKeys.map(([fingerprint]) => fingerprint),
    ...(past.get(name) ?? []),
  ];
  return {
    name,
    fingerprints: new Set(fingerprints.toSorted()),
    isMember: policy.members.has(name),
    removed: removed?.readmitted === undefined ? removed : undefined,
  };
}

function resolveKey(fingerprint: string, policy: Policy, past: ReadonlyMap<string, ReadonlySet<string>>): Subject {
  const removed = policy.removedKeys.get(fingerprint);
  const isMember = [...policy.members.values()].some(({ recipients }) =>
    recipients.some(({ text }) => fingerprintOf(text) === fingerprint),
  );
  const known = [...past.values()].some((prints) => prints.has(fingerprint));
  if (!isMember && !known && removed === undefined) {
    throw new SealtreeError("E_MEMBER_NOT_FOUND", "no key with that fingerprint can read anything, or ever could", {
      hints: ["a fingerprint is 16 hex digits; sealtree member list shows those of the members"],
    });
  }
  return {
    name: undefined,
    fingerprints: new Set([fingerprint]),
    isMember,
    removed: removed?.readmitted === undefined ? removed : undefined,
  };
}

/** Fingerprints by every name that a generation ever listed. */
function listPast({ generations }: ReadableHistory): Map<string, Set<string>> {
  const past = new Map<string, Set<string>>();
  for (const { readers } of generations.values()) {
    for (const reader of readers.keys()) {
      const { name, fingerprint } = splitReader(reader);
      past.set(name, (past.get(name) ?? new Set()).add(fingerprint));
    }
  }
  return past;
}
