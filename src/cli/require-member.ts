import type { Member, Policy } from "../access/policy.ts";
import { SealtreeError } from "../errors.ts";
import { suggest } from "../values/suggest.ts";

/** The member of that name. Throws E_MEMBER_NOT_FOUND with the nearest name, or with what to ask about a former member. */
export function requireMember(policy: Policy, name: string): Member {
  const member = policy.members.get(name);
  if (member !== undefined) return member;
  const removed = policy.removed.get(name);
  if (removed !== undefined) {
    throw new SealtreeError("E_MEMBER_NOT_FOUND", `${name} was removed on ${removed.at}`, {
      hints: [`sealtree exposure ${name} lists what they could read and is still in force`],
    });
  }
  throw new SealtreeError("E_MEMBER_NOT_FOUND", "there is no such member", {
    hints: [...suggest(name, [...policy.members.keys()]), "sealtree member list shows them all"],
  });
}
