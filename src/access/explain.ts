import type { ScopePath } from "../secret/address.ts";
import { sortedMembers, type Member, type Policy } from "./policy.ts";
import { actions, type Action } from "./policy-schema.ts";
import { findDecidingPattern } from "./scope-pattern.ts";

/** One grant of one role of a member that has a pattern for a scope. */
export interface GrantReason {
  readonly role: string;
  /** The pattern that decides, as written; with `!` it takes away. */
  readonly pattern: string;
  /** What the grant allows, in the order of {@link actions}. */
  readonly allow: readonly Action[];
  /** False when the pattern takes the scope out of the grant. */
  readonly covers: boolean;
}

/** What a member may do in a scope, and why. */
export interface MemberAccess {
  readonly member: Member;
  /** The union over all grants, in the order of {@link actions}. */
  readonly allowed: readonly Action[];
  readonly reasons: readonly GrantReason[];
}

/** What a member may do in a scope by the policy, with every grant that says something of it. */
export function explainMember(policy: Policy, member: Member, scope: ScopePath): MemberAccess {
  const reasons = [...new Set(member.roles)].flatMap((role) =>
    (policy.roles.get(role)?.grants ?? []).flatMap((grant): GrantReason[] => {
      const pattern = findDecidingPattern(grant.scopes, scope, member.name);
      if (pattern === undefined) return [];
      return [{ role, pattern, allow: inOrder(grant.allow), covers: !pattern.startsWith("!") }];
    }),
  );
  const allowed = inOrder(reasons.filter(({ covers }) => covers).flatMap(({ allow }) => allow));
  return { member, allowed, reasons };
}

/** {@link explainMember} for every member, sorted by name. The scope need not exist. */
export function explainScope(policy: Policy, scope: ScopePath): MemberAccess[] {
  return sortedMembers(policy).map((member) => explainMember(policy, member, scope));
}

function inOrder(given: readonly Action[]): Action[] {
  return actions.filter((action) => given.includes(action));
}
