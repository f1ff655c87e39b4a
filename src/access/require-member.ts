import { SealtreeError } from "../errors.ts";
import { suggest } from "../secret/suggest.ts";
import type { Member, Policy } from "./policy.ts";

/** The member of that name. Throws E_MEMBER_NOT_FOUND with the nearest name, or with what to ask about a former member. */
export function requireMember(policy: Policy, name: string): Member {
  const member = policy.members.get(name);
  if (member !== undefined) return member;
  throw memberNotFound(policy, name);
}

/** E_MEMBER_NOT_FOUND for a name that no member has. */
export function memberNotFound(policy: Policy, name: string): SealtreeError {
  const removed = policy.removed.get(name);
  if (removed !== undefined) {
    return new SealtreeError("E_MEMBER_NOT_FOUND", `${name} was removed on ${removed.at}`, {
      hints: [`sealtree exposure ${name} lists what they could read and is still in force`],
    });
  }
  return new SealtreeError("E_MEMBER_NOT_FOUND", "there is no such member", {
    hints: [...suggest(name, [...policy.members.keys()]), "sealtree member list shows them all"],
  });
}
