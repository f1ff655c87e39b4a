import type { Identity } from "../crypto/identity.ts";
import { hasCode } from "../errors.ts";
import { findMember } from "./permission.ts";
import type { Member, Policy } from "./policy.ts";
import type { Session } from "./session.ts";

/** The member that the user is; undefined without an identity, or when no identity is a member's. */
export async function findOwnMember(policy: Policy, session: Session): Promise<Member | undefined> {
  return await findMember(policy, await identitiesOrNone(session));
}

async function identitiesOrNone(session: Session): Promise<readonly Identity[]> {
  try {
    return await session.identities();
  } catch (error) {
    if (hasCode(error, "E_NO_IDENTITY")) return [];
    throw error;
  }
}
