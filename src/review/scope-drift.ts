import { findDrift, type ScopeDrift } from "../access/drift.ts";
import type { Policy } from "../access/policy.ts";
import type { ReviewedScope } from "./state.ts";

/** How a reviewed scope differs from the policy, by what of it can be read. */
export function driftOf(policy: Policy, { scope, keyring, headers }: ReviewedScope): ScopeDrift {
  return findDrift(policy, scope, keyring, new Map([...headers].map(([name, { generation }]) => [name, generation])));
}
