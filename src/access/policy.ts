import type { Recipient } from "../crypto/recipient.ts";
import { SealtreeError } from "../errors.ts";
import { compareText } from "../secret/text-order.ts";
import { policyError, type Finding } from "../store/finding.ts";
import { isMemberName } from "../store/generation-file.ts";
import { accessPolicyPath, membersDirectory } from "../store/layout.ts";
import { readChecked } from "../store/schema-findings.ts";
import type { Tree } from "../store/tree.ts";
import { parseMemberFile, type MemberFile, type MemberKeys } from "./member-file.ts";
import { findPolicyProblems } from "./policy-findings.ts";
import { accessSchema, type Action, type WrittenAccess } from "./policy-schema.ts";

/** A person or machine in the policy, with the keys of its file. */
export interface Member extends MemberKeys {
  readonly name: string;
  readonly kind: "person" | "machine";
  readonly github: string | undefined;
  readonly roles: readonly string[];
}

export interface Grant {
  readonly scopes: readonly string[];
  readonly allow: readonly Action[];
}

export interface Role {
  readonly isAdmin: boolean;
  readonly grants: readonly Grant[];
}

/** Who may do what, checked: every role and every key file that is named is there. */
export interface Policy {
  readonly version: number;
  readonly postQuantum: "require" | "prefer" | "off";
  readonly signing: "off" | "warn" | "require";
  readonly members: ReadonlyMap<string, Member>;
  readonly roles: ReadonlyMap<string, Role>;
  /** Keys that every scope is wrapped to, by name. */
  readonly recovery: ReadonlyMap<string, readonly Recipient[]>;
  /** Names that are gone: they come back only when readmitted. Never shortened. */
  readonly removed: ReadonlyMap<string, Removal>;
  /** Keys that are gone, by fingerprint of their text: recipients and signing keys. Never shortened. */
  readonly removedKeys: ReadonlyMap<string, Removal & { readonly member: string }>;
}

/** When a member or a key was removed, and whether it was let in again since. */
export interface Removal {
  /** Of the policy that removed it. */
  readonly version: number;
  /** Such as 2026-11-01. */
  readonly at: string;
  /** Version of the policy that readmitted it. */
  readonly readmitted?: number | undefined;
}

/**
 * The policy of a tree. Throws E_NOT_INITIALISED when there is none, and E_POLICY_INVALID
 * with the first error and the number of others when it is not right as a whole.
 */
export async function loadPolicy(tree: Tree): Promise<Policy> {
  const { policy, findings } = await findPolicy(tree);
  const [first, ...others] = findings.filter(({ severity }) => severity === "error");
  if (first !== undefined) throw policyError(first, others);
  if (policy !== undefined) return policy;
  throw notInitialised(tree);
}

/** Throws E_NOT_INITIALISED for a tree without a policy, right or not. */
export async function checkInitialised(tree: Tree): Promise<void> {
  if ((await tree.read(accessPolicyPath)) === undefined) throw notInitialised(tree);
}

function notInitialised({ label }: Tree): SealtreeError {
  return new SealtreeError("E_NOT_INITIALISED", `no ${accessPolicyPath} in ${label}`, {
    hints: ["start with: sealtree init"],
  });
}

/** The policy of a tree with everything that is wrong in it; both empty when there is no policy file. */
export async function findPolicy(tree: Tree): Promise<{ policy: Policy | undefined; findings: Finding[] }> {
  const bytes = await tree.read(accessPolicyPath);
  if (bytes === undefined) return { policy: undefined, findings: [] };
  const findings: Finding[] = [];
  const checked = readChecked(bytes, accessPolicyPath, { schema: accessSchema, rule: "policy-schema", findings });
  if (checked === undefined) return { policy: undefined, findings };
  const files = await readMemberFiles(tree);
  for (const file of files.values()) findings.push(...file.findings);
  const policy = toPolicy(checked.data, files);
  findings.push(...findPolicyProblems({ ...checked, policy, files }));
  return { policy, findings };
}

/** A written policy with the keys of its members; a name without a file has none. */
export function toPolicy(written: WrittenAccess, files: ReadonlyMap<string, MemberFile>): Policy {
  const keysOf = (name: string): MemberKeys => files.get(name)?.keys ?? { recipients: [], signingKeys: [] };
  return {
    version: written.version,
    postQuantum: written.post_quantum,
    signing: written.signing,
    members: new Map(
      Object.entries(written.members).map(([name, { kind, github, roles }]) => [
        name,
        { name, kind, github, roles, ...keysOf(name) },
      ]),
    ),
    roles: new Map(
      Object.entries(written.roles).map(([name, role]) => [name, { isAdmin: role.admin, grants: role.grants }]),
    ),
    recovery: new Map(written.recovery.map((name) => [name, keysOf(name).recipients])),
    removed: new Map(Object.entries(written.removed)),
    removedKeys: new Map(Object.entries(written.removed_keys)),
  };
}

async function readMemberFiles(tree: Tree): Promise<Map<string, MemberFile>> {
  const found = new Map<string, MemberFile>();
  for (const path of await tree.list(membersDirectory)) {
    const name = path.slice(membersDirectory.length + 1).replace(/\.pub$/, "");
    if (!path.endsWith(".pub") || !isMemberName(name)) continue;
    const bytes = await tree.read(path);
    if (bytes !== undefined) found.set(name, parseMemberFile(bytes, path));
  }
  return found;
}

/** Members in the order in which they are listed everywhere. */
export function sortedMembers(policy: Policy): Member[] {
  return [...policy.members.values()].sort((a, b) => compareText(a.name, b.name));
}
