import { isAdmin } from "../access/permission.ts";
import { loadPolicy, sortedMembers } from "../access/policy.ts";
import { isSealtreeError } from "../errors.ts";
import { openWorkTree } from "../store/work-tree.ts";
import type { Job } from "./job.ts";

/** Who of the policy is told of something on GitHub. */
export interface People {
  /** Logins of the admins who have one, at most ten: GitHub takes no more. */
  readonly admins: readonly string[];
  /** The login of a member; undefined for who is no member, or has none. */
  loginOf(member: string): string | undefined;
}

/** GitHub assigns an issue to so many. */
export const maxAssignees = 10;

/** The people of the policy in the work tree; nobody when there is none that can be used. */
export async function loadPeople({ place }: Pick<Job, "place">): Promise<People> {
  try {
    const policy = await loadPolicy(openWorkTree(place.root));
    const people = sortedMembers(policy).filter(({ kind }) => kind === "person");
    const logins = people.filter((member) => isAdmin(policy, member)).flatMap(({ github }) => github ?? []);
    return {
      admins: logins.slice(0, maxAssignees),
      loginOf: (name) => people.find((member) => member.name === name)?.github,
    };
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    return { admins: [], loginOf: () => undefined };
  }
}
