import type { Recipient } from "../crypto/recipient.ts";
import { isSealtreeError, SealtreeError } from "../errors.ts";
import { compareText } from "../secret/text-order.ts";
import { policyError, type Finding } from "../store/finding.ts";
import { isMemberName } from "../store/generation-file.ts";
import { accessPolicyPath, memberPath, membersDirectory } from "../store/layout.ts";
import { parseStrictYaml } from "../store/strict-yaml.ts";
import type { Tree } from "../store/tree.ts";
import { parseMemberFile, type MemberKeys } from "./member-file.ts";
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
}

/**
 * The policy of a tree. Throws E_NOT_INITIALISED when there is none, and E_POLICY_INVALID
 * with the first finding and the number of others when it is not right as a whole.
 */
export async function loadPolicy(tree: Tree): Promise<Policy> {
  const { policy, findings } = await findPolicy(tree);
  const [first, ...others] = findings;
  if (policy !== undefined && first === undefined) return policy;
  if (first === undefined) {
    throw new SealtreeError("E_NOT_INITIALISED", `no ${accessPolicyPath} in ${tree.label}`, {
      hints: ["start with: sealtree init"],
    });
  }
  throw policyError(first, others);
}

/** The policy of a tree with everything that is wrong in it; both empty when there is no policy file. */
export async function findPolicy(tree: Tree): Promise<{ policy: Policy | undefined; findings: Finding[] }> {
  const bytes = await tree.read(accessPolicyPath);
  if (bytes === undefined) return { policy: undefined, findings: [] };
  const findings: Finding[] = [];
  const written = parseAccess(bytes, findings);
  if (written === undefined) return { policy: undefined, findings };
  const keys = await readMemberFiles(tree, findings);
  const take = (name: string): MemberKeys => {
    const found = keys.get(name);
    keys.delete(name);
    if (found === undefined)
      report(findings, `${name} has no key file ${memberPath(name)}`, "put the member's recipient there, one a line");
    else if (found.recipients.length === 0)
      report(findings, `${memberPath(name)} has no recipient`, "add an age1... or age1pq1... line");
    return found ?? { recipients: [], signingKeys: [] };
  };
  const members = new Map<string, Member>();
  for (const [name, member] of Object.entries(written.members)) {
    for (const role of member.roles) {
      if (!Object.hasOwn(written.roles, role))
        report(findings, `${name} has the role ${role}, which is not defined`, `define it under roles`);
    }
    members.set(name, { name, kind: member.kind, github: member.github, roles: member.roles, ...take(name) });
  }
  const recovery = new Map(written.recovery.map((name) => [name, take(name).recipients]));
  for (const name of Object.keys(written.removed)) {
    if (members.has(name))
      report(findings, `${name} was removed and is a member again`, "give the member another name");
  }
  for (const name of keys.keys())
    report(findings, `${memberPath(name)} belongs to no member`, "remove the file, or add the member");
  reportSharedKeys(members, recovery, findings);
  const policy: Policy = {
    version: written.version,
    postQuantum: written.post_quantum,
    signing: written.signing,
    members,
    roles: new Map(
      Object.entries(written.roles).map(([name, role]) => [name, { isAdmin: role.admin, grants: role.grants }]),
    ),
    recovery,
  };
  return { policy, findings };
}

function parseAccess(bytes: Uint8Array, findings: Finding[]): WrittenAccess | undefined {
  const file = accessPolicyPath;
  try {
    const document = parseStrictYaml(bytes, file);
    const result = accessSchema.safeParse(document.data);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      const isUnknown = issue.code === "unrecognized_keys";
      const where = issue.path.length === 0 ? "the file" : issue.path.map(sayKey).join(".");
      const message = `${where}: ${isUnknown ? "a field is not known" : issue.message}`;
      const line = document.lineOf(isUnknown ? [...issue.path, issue.keys[0] ?? ""] : issue.path);
      findings.push({ rule: "policy-schema", severity: "error", message, file, line });
    }
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    findings.push({
      rule: "policy-schema",
      severity: "error",
      message: error.message,
      file,
      ...(error.line === undefined ? {} : { line: error.line }),
    });
  }
  return undefined;
}

/** A key of the file as it may be repeated: a name, and not whatever somebody pasted. */
function sayKey(key: PropertyKey): string {
  const text = String(key);
  return /^[a-z0-9][a-z0-9_-]{0,30}$/.test(text) ? text : "...";
}

async function readMemberFiles(tree: Tree, findings: Finding[]): Promise<Map<string, MemberKeys>> {
  const found = new Map<string, MemberKeys>();
  for (const path of await tree.list(membersDirectory)) {
    const name = path.slice(membersDirectory.length + 1).replace(/\.pub$/, "");
    if (!path.endsWith(".pub") || !isMemberName(name)) continue;
    const bytes = await tree.read(path);
    if (bytes === undefined) continue;
    const { keys, findings: problems } = parseMemberFile(bytes, path);
    found.set(name, keys);
    findings.push(...problems);
  }
  return found;
}

function reportSharedKeys(
  members: ReadonlyMap<string, Member>,
  recovery: Policy["recovery"],
  findings: Finding[],
): void {
  const owners = new Map<string, string>();
  const all = [...[...members].map(([name, { recipients }]) => [name, recipients] as const), ...recovery];
  for (const [name, recipients] of all) {
    for (const { text } of recipients) {
      const owner = owners.get(text);
      if (owner !== undefined && owner !== name)
        report(findings, `${owner} and ${name} have the same recipient`, "a key belongs to one member");
      owners.set(text, name);
    }
  }
}

function report(findings: Finding[], message: string, hint: string): void {
  findings.push({ rule: "policy", severity: "error", message, file: accessPolicyPath, hint });
}

/** Members in the order in which they are listed everywhere. */
export function sortedMembers(policy: Policy): Member[] {
  return [...policy.members.values()].sort((a, b) => compareText(a.name, b.name));
}
