import type { Policy, Removal } from "../access/policy.ts";
import { accessPolicyPath } from "../store/layout.ts";
import { mayFollow } from "./checks/removed-member.ts";
import type { Refusal } from "./refusal.ts";
import type { TreePolicy } from "./tree-policies.ts";

/**
 * What is wrong with a policy that follows others, whoever signed it: it cannot be used, its
 * version is not one more than the highest before, or its lists of what was removed lost something.
 */
export function findPolicyRefusals(before: readonly TreePolicy[], after: TreePolicy): Refusal[] {
  if (after.policy === undefined || after.error !== undefined) {
    const what =
      after.error === undefined ? `it leaves no ${accessPolicyPath}` : `it leaves a policy that ${sayError(after)}`;
    return [{ rule: "policy-invalid", message: what, hint: "put the policy right in the same commit: sealtree check" }];
  }
  const { policy } = after;
  const earlier = before.flatMap((found) => (found.policy === undefined ? [] : [found.policy]));
  const highest = Math.max(0, ...earlier.map(({ version }) => version));
  return [
    ...(earlier.length === 0 ? [] : checkVersion(policy.version, highest, before.length > 1)),
    ...earlier.flatMap((old) => checkRemovals(old, policy)).slice(0, 1),
  ];
}

function sayError({ error }: TreePolicy): string {
  const where = error?.line === undefined ? "" : ` on line ${error.line} of ${error.file}`;
  return `cannot be used: ${error?.message ?? ""}${where}`;
}

function checkVersion(version: number, before: number, isMerge: boolean): Refusal[] {
  const set = `set version: ${before + 1} in ${accessPolicyPath}`;
  // Git itself joins two changes of key files, each with the same version, and asks nobody.
  const hint = isMerge
    ? `an admin does: ${set}, then git commit --amend --no-edit -S ${accessPolicyPath}`
    : `${set}, and make the commit again`;
  if (version <= before) {
    const what = isMerge ? "joins two policies" : "changes the policy";
    const message = `it ${what}, and its version ${version} was there before, the last being ${before}`;
    return [{ rule: "version-replayed", message, hint }];
  }
  if (version === before + 1) return [];
  return [
    { rule: "version-skipped", message: `it takes the policy from version ${before} to ${version} at once`, hint },
  ];
}

function checkRemovals(before: Policy, now: Policy): Refusal[] {
  const compare = (field: string, old: ReadonlyMap<string, Removal>, present: ReadonlyMap<string, Removal>) =>
    [...old]
      .filter(([name, entry]) => {
        const found = present.get(name);
        return found === undefined || !mayFollow(entry, found);
      })
      .map(([name]): Refusal => ({
        rule: "removal-undone",
        message: `it takes back or changes the entry ${name} under ${field}`,
        hint: "entries stay for good; who comes back is readmitted: sealtree member add NAME --readmit",
      }));
  return [
    ...compare("removed", before.removed, now.removed),
    ...compare("removed_keys", before.removedKeys, now.removedKeys),
  ];
}
