import { fingerprintOf, isPostQuantum } from "../crypto/recipient.ts";
import { isSshKind } from "../crypto/ssh-strength.ts";
import { SealtreeError, usageError } from "../errors.ts";
import { isMemberName } from "../store/generation-file.ts";
import { accessPolicyPath } from "../store/layout.ts";
import type { MemberRequest } from "./member-change.ts";
import { listKeyTexts, type MemberKeys } from "./member-file.ts";
import type { Member, Policy, Removal } from "./policy.ts";

/**
 * Throws unless a policy can take what is asked for: E_USAGE for what is missing or does not
 * fit together, E_EXISTS for a name or key that is taken, E_REMOVED for one that was removed
 * and is not readmitted, E_RECIPIENTS_MIXED for a classical key where none is allowed.
 */
export function checkRequest(policy: Policy, request: MemberRequest, keys: MemberKeys): void {
  const { name, kind } = request;
  if (!isMemberName(name))
    throw usageError("that is not a member name", "a-z, 0-9, _ and -, beginning with a letter, at most 63");
  if (kind === "recovery") checkRecovery(policy, request, keys);
  else if (policy.members.has(name)) checkPresent(policy, request, keys);
  else checkNew(policy, request, keys);
  checkRemoved(policy, request, keys);
  for (const text of listKeyTexts(keys)) checkOwner(policy, name, text);
  checkPostQuantum(policy, keys);
}

function checkNew(policy: Policy, { name, roles }: MemberRequest, keys: MemberKeys): void {
  if (policy.recovery.has(name))
    throw new SealtreeError("E_EXISTS", `${name} is a recovery key`, {
      hints: [`another name for the member, or sealtree member add ${name} --recovery --recipient R for one more key`],
    });
  checkRoles(policy, roles);
  if (keys.recipients.length === 0) {
    throw usageError(
      "a new member needs a recipient",
      "--recipient age1pq1...; the member makes one with sealtree keygen",
      "--github USER takes the SSH keys that are published there",
    );
  }
}

function checkPresent(policy: Policy, request: MemberRequest, keys: MemberKeys): void {
  const { name, roles, github, kind } = request;
  const known = policy.members.get(name);
  const isOther = github !== undefined && known?.github !== undefined && known.github !== github;
  const isPlain = roles.length === 0 && kind === "person" && listKeyTexts(keys).length > 0;
  if (known !== undefined && !isOther && (isPlain || isAsAsked(known, request, keys))) return;
  throw new SealtreeError("E_EXISTS", `${name} is a member already`, {
    hints: [
      `to change roles: sealtree member set-role ${name} --role ROLE`,
      `to add a key: sealtree member add ${name} --recipient R`,
    ],
  });
}

/** True for a member who was added by the same request before, which may have been cut off after that. */
function isAsAsked(known: Member, { roles, kind }: MemberRequest, keys: MemberKeys): boolean {
  const present = listKeyTexts(known);
  return (
    kind === known.kind &&
    new Set(roles).size === known.roles.length &&
    known.roles.every((role) => roles.includes(role)) &&
    listKeyTexts(keys).length > 0 &&
    listKeyTexts(keys).every((text) => present.includes(text))
  );
}

function checkRecovery(policy: Policy, { name, roles, github }: MemberRequest, keys: MemberKeys): void {
  if (policy.members.has(name))
    throw new SealtreeError("E_EXISTS", `${name} is a member, and a recovery key belongs to none`, {
      hints: ["give the recovery key a name of its own, such as recovery-2026"],
    });
  if (roles.length > 0 || github !== undefined)
    throw usageError(
      "a recovery key has no roles and no GitHub user",
      "it is wrapped into every scope and may change nothing",
    );
  if (keys.recipients.length === 0)
    throw usageError("a recovery key needs a recipient", "--recipient age1pq1...; sealtree keygen -o FILE makes one");
}

/** Throws E_USAGE unless there are roles, all of them defined. */
export function checkRoles(policy: Policy, roles: readonly string[]): void {
  const known = `the roles are ${[...policy.roles.keys()].join(", ")}`;
  if (roles.length === 0) throw usageError("a member needs a role", `--role ROLE; ${known}`);
  if (!roles.every((role) => policy.roles.has(role))) throw usageError("there is no such role", known);
}

function checkRemoved(policy: Policy, request: MemberRequest, keys: MemberKeys): void {
  if (request.readmit) return;
  const refuse = (what: string, { at, version }: Removal) =>
    new SealtreeError("E_REMOVED", `${what} was removed on ${at}, by version ${version} of the policy`, {
      hints: ["if it is to come back, give --readmit too", "if somebody else is meant, choose another name or key"],
    });
  const name = policy.removed.get(request.name);
  if (name !== undefined && name.readmitted === undefined) throw refuse(request.name, name);
  for (const fingerprint of listKeyTexts(keys).map(fingerprintOf)) {
    const key = policy.removedKeys.get(fingerprint);
    if (key !== undefined && key.readmitted === undefined) throw refuse(`key ${fingerprint} of ${key.member}`, key);
  }
}

function checkOwner(policy: Policy, name: string, text: string): void {
  const owner = [
    ...[...policy.members].map(([other, keys]) => [other, listKeyTexts(keys)] as const),
    ...[...policy.recovery].map(([other, recipients]) => [other, recipients.map((key) => key.text)] as const),
  ].find(([other, texts]) => other !== name && texts.includes(text))?.[0];
  if (owner === undefined) return;
  throw new SealtreeError("E_EXISTS", `the key belongs to ${owner} already`, {
    hints: ["a key belongs to one member; sealtree keygen makes another"],
  });
}

function checkPostQuantum(policy: Policy, keys: MemberKeys): void {
  const classical = keys.recipients.find((recipient) => !isPostQuantum(recipient));
  if (policy.postQuantum !== "require" || classical === undefined) return;
  const isSsh = isSshKind(classical.kind);
  throw new SealtreeError(
    "E_RECIPIENTS_MIXED",
    `the policy requires post-quantum recipients, and ${isSsh ? "an SSH key is none" : "this one is classical"}`,
    {
      hints: [
        "sealtree keygen makes an age1pq1... recipient",
        ...(isSsh ? ["give it with --recipient, and the SSH key with --ssh: then that one only signs"] : []),
        `or set post_quantum: prefer in ${accessPolicyPath}`,
      ],
    },
  );
}
