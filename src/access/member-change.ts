import type { MemberKeys } from "./member-file.ts";
import { SealtreeError } from "../errors.ts";
import { isMemberName } from "../store/generation-file.ts";
import { accessPolicyPath, memberPath } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import type { FileChange } from "../store/write.ts";
import { addPolicyMember, setPolicyVersion } from "./edit-policy.ts";
import { loadPolicy, type Policy } from "./policy.ts";
import { plannedTree } from "./planned-tree.ts";

/** A member to add, or keys to add to one there is. */
export interface MemberRequest {
  readonly name: string;
  readonly keys: MemberKeys;
  /** At least one for a new member, none for one there is. */
  readonly roles: readonly string[];
  readonly github: string | undefined;
  readonly kind: "person" | "machine";
}

export interface PlannedMember {
  /** Key file first, policy last; empty when the member has all these keys already. */
  readonly files: readonly FileChange[];
  /** The policy as it will be. */
  readonly policy: Policy;
  readonly isNew: boolean;
}

/**
 * Plans the change of policy that adds a member, or keys to one there is: the key file, and
 * `policies/access.yaml` with its comments and order kept and its version raised by one. The
 * policy that comes out is checked as a whole. Throws E_USAGE, E_EXISTS, E_RECIPIENTS_MIXED,
 * E_POLICY_INVALID.
 */
export async function planMember(tree: Tree, request: MemberRequest): Promise<PlannedMember> {
  const policy = await loadPolicy(tree);
  const present = policy.members.get(request.name);
  checkRequest(policy, request);
  const known = new Set([...(present?.recipients ?? []).map(({ text }) => text), ...(present?.signingKeys ?? [])]);
  const texts = [...request.keys.recipients.map(({ text }) => text), ...request.keys.signingKeys];
  const added = texts.filter((text) => !known.has(text));
  if (added.length === 0) return { files: [], policy, isNew: false };
  const before = present === undefined ? "" : await readText(tree, memberPath(request.name));
  const separator = before === "" || before.endsWith("\n") ? "" : "\n";
  const files = [
    { path: memberPath(request.name), bytes: `${before}${separator}${added.join("\n")}\n` },
    { path: accessPolicyPath, bytes: await printPolicy(tree, policy, request) },
  ];
  return { files, policy: await loadPolicy(plannedTree(tree, files)), isNew: present === undefined };
}

function checkRequest(policy: Policy, { name, keys, roles, github, kind }: MemberRequest): void {
  const usage = (message: string, hint: string) => new SealtreeError("E_USAGE", message, { hints: [hint] });
  if (!isMemberName(name))
    throw usage("that is not a member name", "a-z, 0-9, _ and -, beginning with a letter, at most 63");
  const isKnown = policy.members.has(name);
  if (
    isKnown &&
    (roles.length > 0 ||
      github !== undefined ||
      kind === "machine" ||
      keys.recipients.length + keys.signingKeys.length === 0)
  ) {
    throw new SealtreeError("E_EXISTS", `${name} is a member already`, {
      hints: [
        `to change roles, edit ${accessPolicyPath}, then run sealtree rekey`,
        `to add a key: sealtree member add ${name} --recipient R`,
      ],
    });
  }
  const known = [...policy.roles.keys()];
  if (!isKnown && roles.length === 0)
    throw usage("a new member needs a role", `--role ROLE; the roles are ${known.join(", ")}`);
  if (!roles.every((role) => policy.roles.has(role)))
    throw usage("there is no such role", `the roles are ${known.join(", ")}`);
  if (!isKnown && keys.recipients.length === 0) {
    throw usage("a new member needs a recipient", "--recipient age1pq1...; the member makes one with sealtree keygen");
  }
  checkRecipients(policy, name, keys);
}

function checkRecipients(policy: Policy, name: string, keys: MemberKeys): void {
  const others = [
    ...[...policy.members].map(([owner, { recipients }]) => [owner, recipients] as const),
    ...policy.recovery,
  ];
  for (const recipient of keys.recipients) {
    const owner = others.find(
      ([other, recipients]) => other !== name && recipients.some(({ text }) => text === recipient.text),
    )?.[0];
    if (owner !== undefined) {
      throw new SealtreeError("E_EXISTS", `the recipient belongs to ${owner} already`, {
        hints: ["a key belongs to one member; sealtree keygen makes another"],
      });
    }
    if (policy.postQuantum === "require" && recipient.kind !== "hybrid") {
      throw new SealtreeError(
        "E_RECIPIENTS_MIXED",
        "the policy requires post-quantum recipients, and this one is classical",
        {
          hints: [
            "sealtree keygen makes an age1pq1... recipient",
            `or set post_quantum: prefer in ${accessPolicyPath}`,
          ],
        },
      );
    }
  }
}

async function printPolicy(tree: Tree, policy: Policy, request: MemberRequest): Promise<string> {
  const { name, roles, github, kind } = request;
  const text = setPolicyVersion(await readText(tree, accessPolicyPath), policy.version + 1);
  return policy.members.has(name) ? text : addPolicyMember(text, { name, kind, github, roles: [...new Set(roles)] });
}

async function readText(tree: Tree, path: string): Promise<string> {
  return Buffer.from((await tree.read(path)) ?? []).toString("utf8");
}
