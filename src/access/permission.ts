import type { Identity } from "../crypto/identity.ts";
import { fingerprintOf, type Recipient } from "../crypto/recipient.ts";
import { SealtreeError } from "../errors.ts";
import { compareText } from "../secret/text-order.ts";
import type { ScopePath } from "../secret/address.ts";
import type { ReaderList } from "../crypto/generation.ts";
import { type Member, type Policy, sortedMembers } from "./policy.ts";
import type { Action } from "./policy-schema.ts";
import { matchesPatterns } from "./scope-pattern.ts";

/** True when one of the member's roles allows `action` on `scope`. */
export function isAllowed(policy: Policy, member: Member, action: Action, scope: ScopePath): boolean {
  return member.roles.some((name) =>
    policy.roles
      .get(name)
      ?.grants.some((grant) => grant.allow.includes(action) && matchesPatterns(grant.scopes, scope, member.name)),
  );
}

/** True when one of the member's roles may change the policy. */
export function isAdmin(policy: Policy, member: Member): boolean {
  return member.roles.some((name) => policy.roles.get(name)?.isAdmin === true);
}

/** A recipient of a scope and whose it is. */
export interface Reader {
  readonly name: string;
  readonly recipient: Recipient;
  readonly fingerprint: string;
}

/** All who may read `scope`, recovery keys included, sorted by name and fingerprint: the order of the stanzas. */
export function listReaders(policy: Policy, scope: ScopePath): Reader[] {
  const members = sortedMembers(policy).filter((member) => isAllowed(policy, member, "read", scope));
  const named = [...members.map(({ name, recipients }) => [name, recipients] as const), ...policy.recovery];
  return named
    .flatMap(([name, recipients]) =>
      recipients.map((recipient) => ({ name, recipient, fingerprint: fingerprintOf(recipient.text) })),
    )
    .sort((a, b) => compareText(a.name, b.name) || compareText(a.fingerprint, b.fingerprint));
}

/** Throws E_NO_READERS when nobody but recovery keys could read `scope`. */
export function checkHasReaders(policy: Policy, scope: ScopePath, readers: readonly Reader[]): void {
  if (readers.some(({ name }) => policy.members.has(name))) return;
  throw new SealtreeError("E_NO_READERS", `nobody may read ${scope}, so nothing can be sealed for it`, {
    hints: ["give a role read access to it in policies/access.yaml"],
  });
}

/** Name to fingerprints, as a generation file lists them. */
export function toReaderList(readers: readonly Reader[]): ReaderList {
  const list = new Map<string, string[]>();
  for (const { name, fingerprint } of readers) list.set(name, [...(list.get(name) ?? []), fingerprint]);
  return list;
}

/** The member that one of `identities` belongs to; undefined when they are nobody's. */
export async function findMember(policy: Policy, identities: readonly Identity[]): Promise<Member | undefined> {
  for (const identity of identities) {
    const own = new Set((await identity.recipients()).map(({ text }) => text));
    const member = sortedMembers(policy).find(({ recipients }) => recipients.some(({ text }) => own.has(text)));
    if (member !== undefined) return member;
  }
  return undefined;
}

/** Throws E_PERMISSION_DENIED unless `member` may do `action` on `scope`. */
export function checkAllowed(policy: Policy, member: Member | undefined, action: Action, scope: ScopePath): void {
  if (member !== undefined && isAllowed(policy, member, action, scope)) return;
  const who =
    member === undefined ? "your identity belongs to no member, and" : `${member.name} (${member.roles.join(", ")})`;
  throw new SealtreeError("E_PERMISSION_DENIED", `PERMISSION_DENIED: ${who} may not ${action} in ${scope}`, {
    hints: ["ask an admin for a role that allows it: policies/access.yaml", "sealtree member list shows who is who"],
  });
}

/** Throws E_PERMISSION_DENIED unless `member` may change the policy. */
export function checkAdmin(policy: Policy, member: Member | undefined): void {
  if (member !== undefined && isAdmin(policy, member)) return;
  throw new SealtreeError(
    "E_PERMISSION_DENIED",
    "PERMISSION_DENIED: changing the policy takes a role with admin: true",
    {
      hints: ["ask an admin; sealtree member list shows who is one"],
    },
  );
}
