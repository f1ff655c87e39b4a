import { identitiesOrNone } from "../identity/identities-or-none.ts";
import { findMember } from "./permission.ts";
import type { Member, Policy } from "./policy.ts";
import type { Session } from "./session.ts";

/** The member that the user is; undefined without an identity, or when no identity is a member's. */
export async function findOwnMember(policy: Policy, session: Session): Promise<Member | undefined> {
  return await findMember(policy, await identitiesOrNone(() => session.identities()));
}
