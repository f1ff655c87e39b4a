import type { ScopePath } from "../secret/address.ts";
import { isAllowed } from "./permission.ts";
import { sortedMembers, type Member, type Policy } from "./policy.ts";

/** The GitHub names of the people among the members that `includes` takes, sorted by member. */
export function listGithubNames(policy: Policy, includes: (member: Member) => boolean): string[] {
  return sortedMembers(policy).flatMap((member) =>
    member.kind === "person" && member.github !== undefined && includes(member) ? [member.github] : [],
  );
}

/** The GitHub names of the people who may write in a scope. */
export function listGithubWriters(policy: Policy, scope: ScopePath): string[] {
  return listGithubNames(policy, (member) => isAllowed(policy, member, "write", scope));
}
