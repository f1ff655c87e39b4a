import { editYaml, type YamlEdit } from "../store/edit-yaml.ts";
import { accessPolicyPath } from "../store/layout.ts";
import type { Policy, Removal } from "./policy.ts";

/** A member's entry in `policies/access.yaml`. */
export interface WrittenMember {
  readonly name: string;
  readonly kind: "person" | "machine";
  readonly github: string | undefined;
  readonly roles: readonly string[];
}

/** One change of the policy, as edits of its file. */
export type PolicyEdit = readonly YamlEdit[];

/**
 * The text of `policies/access.yaml` after some changes. Comments and order stay, as
 * {@link editYaml} promises. Throws E_POLICY_INVALID.
 */
export function editPolicy(text: string, ...changes: readonly PolicyEdit[]): string {
  return changes.flat().reduce((edited, edit) => editYaml(edited, accessPolicyPath, edit), text);
}

export function setVersion(version: number): PolicyEdit {
  return [{ set: ["version"], value: version }];
}

/** The member comes last. */
export function addMemberEntry({ name, kind, github, roles }: WrittenMember): PolicyEdit {
  const fields = { ...(kind === "machine" ? { kind } : {}), ...(github === undefined ? {} : { github }), roles };
  return [{ set: ["members", name], value: fields }];
}

export function removeMemberEntry(name: string): PolicyEdit {
  return [{ remove: ["members", name] }];
}

export function setGithub(name: string, github: string): PolicyEdit {
  return [{ set: ["members", name, "github"], value: github }];
}

/** `present` become `wanted`: roles that stay keep their place, new ones follow. */
export function setMemberRoles(name: string, present: readonly string[], wanted: readonly string[]): PolicyEdit {
  const path = ["members", name, "roles"];
  const added = [...new Set(wanted)].filter((role) => !present.includes(role));
  const gone = [...present.keys()].filter((index) => !wanted.includes(present[index] ?? "")).reverse();
  return [
    ...added.map((role) => ({ append: path, value: role })),
    ...gone.map((index) => ({ remove: [...path, index] })),
  ];
}

/** A recovery key comes last. */
export function addRecoveryName(name: string): PolicyEdit {
  return [{ append: ["recovery"], value: name }];
}

/** Notes that a name is gone. An entry that was readmitted is brought up to date. */
export function noteRemovedName(policy: Pick<Policy, "removed">, name: string, { version, at }: Removal): PolicyEdit {
  return note(["removed", name], policy.removed.get(name), { version, at });
}

/** Notes that a key is gone, by its fingerprint. An entry that was readmitted is brought up to date. */
export function noteRemovedKey(
  policy: Pick<Policy, "removedKeys">,
  fingerprint: string,
  { member, version, at }: Removal & { readonly member: string },
): PolicyEdit {
  return note(["removed_keys", fingerprint], policy.removedKeys.get(fingerprint), { member, version, at });
}

/** Lets a removed name, or a removed key, in again from `version` on. */
export function readmit(list: "removed" | "removed_keys", key: string, version: number): PolicyEdit {
  return [{ set: [list, key, "readmitted"], value: version }];
}

function note(
  path: readonly [string, string],
  present: Removal | undefined,
  fields: { readonly member?: string; readonly version: number; readonly at: string },
): PolicyEdit {
  if (present === undefined) return [{ set: path, value: fields }];
  return [
    ...Object.entries(fields).map(([field, value]) => ({ set: [...path, field], value })),
    ...(present.readmitted === undefined ? [] : [{ remove: [...path, "readmitted"] }]),
  ];
}
