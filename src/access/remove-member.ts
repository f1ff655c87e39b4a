import { fingerprintOf } from "../crypto/recipient.ts";
import { type SealtreeError, usageError } from "../errors.ts";
import { listScopes } from "../store/keyring.ts";
import { accessPolicyPath, memberPath } from "../store/layout.ts";
import { readText, type Tree } from "../store/tree.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { writeFiles, type FileChange, type WriteOutcome } from "../store/write.ts";
import { checkOwnAdmin, type PolicyWriteOptions } from "./add-member.ts";
import { besideChange, nextVersion, readCommittedPolicy, type CommittedPolicy } from "./committed-policy.ts";
import { editPolicy, noteRemovedKey, noteRemovedName, removeMemberEntry, setVersion } from "./edit-policy.ts";
import { dropKeyLines, listKeyTexts, parseMemberFile } from "./member-file.ts";
import { listReach, planScopes, type ReadableScope } from "./member-scopes.ts";
import { findMember, isAdmin } from "./permission.ts";
import { findPolicy, loadPolicy, type Member, type Policy, type Removal } from "./policy.ts";
import { plannedTree } from "./planned-tree.ts";
import type { PlannedRekey } from "./rekey.ts";
import type { Session } from "./session.ts";
import { memberNotFound } from "./require-member.ts";

export interface RemovalRequest {
  readonly name: string;
  /** Fingerprints of the keys to remove; undefined for the member as a whole. */
  readonly keys?: readonly string[] | undefined;
  /** What to do when none of the user's own identities would be a member's afterwards. */
  readonly ownAccess: "keep" | "give-up";
}

export interface RemovedMember {
  /** The policy after the change. */
  readonly policy: Policy;
  /** False when the policy had forgotten them already, and HEAD too. */
  readonly isChanged: boolean;
  /** True when they were no member in the work tree before. */
  readonly isLeft: boolean;
  /** True when none of the user's own identities is a member's any more. */
  readonly isOwn: boolean;
  /** Fingerprints of the keys that are gone: recipients and signing keys. */
  readonly keys: readonly string[];
  /** What they could read before. What was read stays read. */
  readonly reach: readonly ReadableScope[];
  /** Scopes that were rekeyed or wrapped again. */
  readonly scopes: readonly PlannedRekey[];
}

/** A removal before any scope is looked into with a key. */
export type RemovalPreview = Omit<RemovedMember, "scopes"> & { readonly files: readonly FileChange[] };

/** What {@link removeMember} would do, without doing it and without opening a scope. Throws as it does. */
export async function previewRemoval(session: Session, request: RemovalRequest): Promise<RemovalPreview> {
  const tree = openWorkTree(session.place.root);
  return await prepare(session, tree, request, await readCommittedPolicy(session.place, tree));
}

/**
 * Removes a member, or some of their keys, and rekeys every scope that they could read, in one
 * commit: the entry and the key file go, name and fingerprints are noted as removed, scopes get
 * a new generation, and older ones are wrapped for those who remain. Nothing is written unless
 * all of it can be. Run again after it was cut off, it ends the work. Takes a member with an
 * admin role who can open those scopes. Throws E_MEMBER_NOT_FOUND, E_PERMISSION_DENIED,
 * E_NO_ACCESS and E_NO_READERS with the scope, and E_USAGE for the last admin, the last
 * recipient, a recovery key, and the user's own membership unless that is given up.
 */
export async function removeMember(
  session: Session,
  options: PolicyWriteOptions,
  request: RemovalRequest,
): Promise<WriteOutcome<RemovedMember>> {
  return await writeFiles(session.place, options, async (tree) => {
    const committed = await readCommittedPolicy(session.place, tree);
    const { files, ...prepared } = await prepare(session, tree, request, committed);
    const { policy, reach, isChanged } = prepared;
    // Of somebody who is gone already a keyring need not say what they could read.
    const due = prepared.isLeft ? await listScopes(tree) : reach.map(({ scope }) => scope);
    const scopes = await planScopes(session, policy, tree, due, options.onProgress);
    const what = request.keys === undefined ? `member ${request.name}` : `a key of ${request.name}`;
    const beside = besideChange(committed, { isChanged, written: files });
    return {
      changes: [...scopes.changes, ...files, ...beside.removed],
      touched: [...scopes.touched, ...beside.touched],
      landing: "any order",
      text: { subject: `policies: remove ${what}`, reason: "policy", note: options.note, rekeyed: scopes.rekeyed },
      result: { ...prepared, scopes: scopes.changed },
    };
  });
}

async function prepare(
  session: Session,
  tree: Tree,
  request: RemovalRequest,
  committed: CommittedPolicy,
): Promise<RemovalPreview> {
  // What is wrong with the keys that go must not keep them from going: the outcome is checked as a whole.
  const before = (await findPolicy(tree)).policy ?? (await loadPolicy(tree));
  await checkOwnAdmin(session, before);
  const { keys, files } = await planLeaving(session, tree, request, before, committed);
  const policy = await loadPolicy(plannedTree(tree, files));
  const isOwn = (await findMember(policy, await session.identities())) === undefined;
  if (isOwn && request.ownAccess === "keep") throw ownAccess(request.name);
  const policies = [before, ...(committed.policy === undefined ? [] : [committed.policy])];
  const reach = await listReach(tree, { name: request.name, fingerprints: keys, policies });
  const isChanged = files.length > 0 || isPending(committed, request.name, keys);
  const isLeft = !before.members.has(request.name);
  return { policy, isChanged, isLeft, isOwn, keys: [...keys], reach, files };
}

/** The fingerprints that go, and the files of the policy without them. */
async function planLeaving(
  session: Session,
  tree: Tree,
  request: RemovalRequest,
  before: Policy,
  committed: CommittedPolicy,
): Promise<{ readonly keys: ReadonlySet<string>; readonly files: readonly FileChange[] }> {
  const { name } = request;
  checkMayLeave(before, request);
  const path = memberPath(name);
  const bytes = await tree.read(path);
  const text = Buffer.from(bytes ?? []).toString("utf8");
  const file = parseMemberFile(Buffer.from(text), path);
  const present = new Map(listKeyTexts(file.keys).map((key) => [fingerprintOf(key), key]));
  const atHead = committed.policy?.members.get(name);
  const noted = [...before.removedKeys].filter(([, { member }]) => member === name);
  const known = new Set([
    ...present.keys(),
    ...(atHead === undefined ? [] : listKeyTexts(atHead).map(fingerprintOf)),
    ...noted.map(([fingerprint]) => fingerprint),
  ]);
  if (!before.members.has(name) && atHead === undefined && !before.removed.has(name))
    throw memberNotFound(before, name);
  const keys = request.keys === undefined ? known : new Set(request.keys);
  if (![...keys].every((fingerprint) => known.has(fingerprint))) throw unknownKey(name);
  const gone = [...keys].flatMap((fingerprint) => present.get(fingerprint) ?? []);
  const kept = request.keys === undefined ? undefined : dropKeyLines(text, file, gone);
  if (kept !== undefined && parseMemberFile(Buffer.from(kept), path).keys.recipients.length === 0)
    throw lastRecipient(name);

  const version = nextVersion(before, committed);
  const removal = { version, at: session.now().toISOString().slice(0, 10) };
  const edits = [...keys]
    .filter((fingerprint) => !isInForce(before.removedKeys.get(fingerprint)))
    .map((fingerprint) => noteRemovedKey(before, fingerprint, { ...removal, member: name }));
  if (kept === undefined) {
    if (!isInForce(before.removed.get(name))) edits.unshift(noteRemovedName(before, name, removal));
    if (before.members.has(name)) edits.unshift(removeMemberEntry(name));
  }
  const policyText = (await readText(tree, accessPolicyPath)) ?? "";
  const policyChange = { path: accessPolicyPath, bytes: editPolicy(policyText, setVersion(version), ...edits) };
  const isFileDue = kept === undefined ? bytes !== undefined : kept !== text;
  // The policy first: cut off between the two, what is left over is a file of nobody, or a key that is noted as gone.
  return {
    keys,
    files: [...(edits.length === 0 ? [] : [policyChange]), ...(isFileDue ? [{ path, bytes: kept }] : [])],
  };
}

function isInForce(removal: Removal | undefined): boolean {
  return removal !== undefined && removal.readmitted === undefined;
}

/** True when HEAD still has what is leaving. */
function isPending({ policy }: CommittedPolicy, name: string, keys: ReadonlySet<string>): boolean {
  const member = policy?.members.get(name);
  return member !== undefined && listKeyTexts(member).some((text) => keys.has(fingerprintOf(text)));
}

function checkMayLeave(policy: Policy, { name, keys }: RemovalRequest): void {
  if (policy.recovery.has(name)) {
    throw usageError(
      `${name} is a recovery key, and no member`,
      `take it out of recovery in ${accessPolicyPath}, raise version, remove ${memberPath(name)}, then sealtree rekey`,
    );
  }
  const member = policy.members.get(name);
  if (keys === undefined && member !== undefined) checkOtherAdmin(policy, member);
}

/** Throws E_USAGE when `member` is the only admin. */
export function checkOtherAdmin(policy: Policy, member: Member): void {
  const admins = [...policy.members.values()].filter((other) => isAdmin(policy, other));
  if (admins.length !== 1 || admins[0]?.name !== member.name) return;
  const role = [...policy.roles].find(([, { isAdmin: grants }]) => grants)?.[0] ?? "ROLE";
  throw usageError(
    `${member.name} is the last admin`,
    `make another one first: sealtree member set-role NAME --role ${role}`,
  );
}

function ownAccess(name: string): SealtreeError {
  return usageError(
    `that takes your own access: none of your identities would be a member's any more`,
    `if you mean it, give --yes; another admin can also do it: sealtree member remove ${name}`,
  );
}

function unknownKey(name: string): SealtreeError {
  return usageError(`${name} has no key of that fingerprint`, "sealtree member list --json shows the fingerprints");
}

function lastRecipient(name: string): SealtreeError {
  return usageError(
    `${name} would have no recipient left`,
    `give another one first: sealtree member add ${name} --recipient R`,
    `or remove the member: sealtree member remove ${name}`,
  );
}
