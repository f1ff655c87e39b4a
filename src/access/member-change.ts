import { fingerprintOf } from "../crypto/recipient.ts";
import { parseRecipient } from "../crypto/parse-recipient.ts";
import { isSshKind } from "../crypto/ssh-strength.ts";
import { accessPolicyPath, memberPath } from "../store/layout.ts";
import { readText, type Tree } from "../store/tree.ts";
import type { FileChange } from "../store/write.ts";
import { nextVersion, type CommittedPolicy } from "./committed-policy.ts";
import {
  addMemberEntry,
  addRecoveryName,
  editPolicy,
  readmit,
  setGithub,
  setVersion,
  type PolicyEdit,
} from "./edit-policy.ts";
import type { GivenKeys } from "./key-arguments.ts";
import { dropKeyLines, listKeyTexts, parseMemberFile, printMemberKeys, type MemberKeys } from "./member-file.ts";
import { checkRequest } from "./member-request.ts";
import { plannedTree } from "./planned-tree.ts";
import { loadPolicy, type Policy } from "./policy.ts";

/** A member or recovery key to add, or keys to add to one there is. */
export interface MemberRequest {
  readonly name: string;
  readonly keys: GivenKeys;
  /** At least one for a new member, none for one there is and for a recovery key. */
  readonly roles: readonly string[];
  readonly github: string | undefined;
  readonly kind: "person" | "machine" | "recovery";
  /** Lets in a name or a key that was removed. */
  readonly readmit: boolean;
  /** Said above the keys in their file, such as `from github.com/bob, 2026-11-22`. */
  readonly origin?: string | undefined;
}

export interface PlannedMember {
  /** Empty when the member has all these keys already. */
  readonly files: readonly FileChange[];
  /** The policy as it will be. */
  readonly policy: Policy;
  readonly isNew: boolean;
  /** True when HEAD lacks some of it, also after a run that was cut off before its commit. */
  readonly isChanged: boolean;
  /** Those of the keys that read, and those that only sign. */
  readonly keys: MemberKeys;
}

/**
 * Plans the change of policy that adds a member, or keys to one there is: the key file, and
 * `policies/access.yaml` with its comments and order kept and its version one more than in
 * HEAD. The policy that comes out is checked as a whole. Throws E_USAGE, E_EXISTS, E_REMOVED,
 * E_RECIPIENTS_MIXED, E_POLICY_INVALID.
 */
export async function planMember(
  tree: Tree,
  request: MemberRequest,
  committed: CommittedPolicy,
): Promise<PlannedMember> {
  const policy = await loadPolicy(tree);
  const { name } = request;
  const path = memberPath(name);
  const isKnown = policy.members.has(name) || policy.recovery.has(name);
  const text = isKnown ? ((await readText(tree, path)) ?? "") : "";
  const file = parseMemberFile(Buffer.from(text), path);
  const keys = settleKeys(file.keys, request.keys);
  checkRequest(policy, request, keys);
  const added = {
    recipients: keys.recipients.filter((key) => !file.keys.recipients.some((known) => known.text === key.text)),
    signingKeys: keys.signingKeys.filter((key) => !file.keys.signingKeys.includes(key)),
  };
  const isNeeded = !isKnown || listKeyTexts(added).length > 0 || !isCommitted(committed, request, keys);
  if (!isNeeded) return { files: [], policy, isNew: false, isChanged: false, keys };
  const before = (await readText(tree, accessPolicyPath)) ?? "";
  const after = editPolicy(before, ...planEdits(policy, committed, request, keys));
  const policyChange = after === before ? [] : [{ path: accessPolicyPath, bytes: after }];
  const keyText = printKeyFile(dropKeyLines(text, file, listKeyTexts(added)), added, request);
  const keyChange = keyText === text ? [] : [{ path, bytes: keyText }];
  // Cut off between the two, a key file without a member is no harm, and neither is a policy that lets a key in.
  const files = isKnown ? [...policyChange, ...keyChange] : [...keyChange, ...policyChange];
  return { files, policy: await loadPolicy(plannedTree(tree, files)), isNew: !isKnown, isChanged: true, keys };
}

/** SSH keys that were given as such read only where a member has no other keys to read with. */
function settleKeys(present: MemberKeys, { recipients, signingKeys, sshKeys }: GivenKeys): MemberKeys {
  const isSshOnly = [...present.recipients, ...recipients].every(({ kind }) => isSshKind(kind));
  const reading = isSshOnly ? sshKeys.filter((key) => isSshKind(key.split(" ")[0] ?? "")).map(parseRecipient) : [];
  const all = new Map([...recipients, ...reading].map((recipient) => [recipient.text, recipient]));
  const signing = [...all.values()].filter(({ kind }) => isSshKind(kind)).map(({ text }) => text);
  return { recipients: [...all.values()], signingKeys: [...new Set([...signing, ...signingKeys, ...sshKeys])] };
}

/** True when HEAD has the name with these keys. */
function isCommitted({ policy }: CommittedPolicy, { name, github }: MemberRequest, keys: MemberKeys): boolean {
  if (policy === undefined) return true;
  const member = policy.members.get(name);
  const recipients = member?.recipients ?? policy.recovery.get(name);
  if (recipients === undefined || (github !== undefined && member?.github !== github)) return false;
  return (
    keys.recipients.every(({ text }) => recipients.some((known) => known.text === text)) &&
    keys.signingKeys.every((key) => member === undefined || member.signingKeys.includes(key))
  );
}

function planEdits(
  policy: Policy,
  committed: CommittedPolicy,
  { name, roles, github, kind }: MemberRequest,
  keys: MemberKeys,
): PolicyEdit[] {
  const version = nextVersion(policy, committed);
  const edits = [setVersion(version)];
  if (isRemoved(policy.removed.get(name))) edits.push(readmit("removed", name, version));
  for (const fingerprint of listKeyTexts(keys).map(fingerprintOf)) {
    if (isRemoved(policy.removedKeys.get(fingerprint))) edits.push(readmit("removed_keys", fingerprint, version));
  }
  const member = policy.members.get(name);
  if (kind === "recovery") return policy.recovery.has(name) ? edits : [...edits, addRecoveryName(name)];
  if (member === undefined) edits.push(addMemberEntry({ name, kind, github, roles: [...new Set(roles)] }));
  else if (github !== undefined && member.github === undefined) edits.push(setGithub(name, github));
  return edits;
}

function isRemoved(removal: { readonly readmitted?: number | undefined } | undefined): boolean {
  return removal !== undefined && removal.readmitted === undefined;
}

function printKeyFile(kept: string, added: MemberKeys, { origin }: MemberRequest): string {
  const lines = printMemberKeys(added);
  if (lines === "") return kept;
  const separator = kept === "" || kept.endsWith("\n") ? "" : "\n";
  return `${kept}${separator}${origin === undefined ? "" : `# ${origin}\n`}${lines}`;
}
