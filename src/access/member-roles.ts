import { compareText } from "../secret/text-order.ts";
import type { ScopePath } from "../secret/address.ts";
import { readScope } from "../store/keyring.ts";
import { accessPolicyPath } from "../store/layout.ts";
import { readText, type Tree } from "../store/tree.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { writeFiles, type FileChange, type WriteOutcome } from "../store/write.ts";
import { checkOwnAdmin, type PolicyWriteOptions } from "./add-member.ts";
import { besideChange, nextVersion, readCommittedPolicy, type CommittedPolicy } from "./committed-policy.ts";
import { editPolicy, setMemberRoles, setVersion } from "./edit-policy.ts";
import { checkRoles } from "./member-request.ts";
import { listReadableScopes, planScopes, type ReadableScope } from "./member-scopes.ts";
import { isAdmin } from "./permission.ts";
import { plannedTree } from "./planned-tree.ts";
import { loadPolicy, type Policy } from "./policy.ts";
import type { PlannedRekey } from "./rekey.ts";
import { checkOtherAdmin } from "./remove-member.ts";
import type { Session } from "./session.ts";
import { requireMember } from "./require-member.ts";

export interface RolesRequest {
  readonly name: string;
  /** All the roles the member is to have. */
  readonly roles: readonly string[];
}

export interface ChangedRoles {
  /** The policy after the change. */
  readonly policy: Policy;
  /** False when they had these roles, in HEAD too. */
  readonly isChanged: boolean;
  /** What the member may read now and could not before. */
  readonly gained: readonly ReadableScope[];
  /** What the member could read and may not any more. What was read stays read. */
  readonly lost: readonly ReadableScope[];
  /** Scopes that were rekeyed or wrapped again. */
  readonly scopes: readonly PlannedRekey[];
}

/** A change of roles before any scope is looked into with a key. */
export interface RolesPreview extends Omit<ChangedRoles, "scopes"> {
  readonly files: readonly FileChange[];
  /** All scopes that the member could read or may read now. */
  readonly concerned: readonly ScopePath[];
}

/** What {@link setRoles} would do, without doing it and without opening a scope. Throws as it does. */
export async function previewRoles(session: Session, request: RolesRequest): Promise<RolesPreview> {
  const tree = openWorkTree(session.place.root);
  return await prepare(session, tree, request, await readCommittedPolicy(session.place, tree));
}

/**
 * Gives a member other roles, and makes the scopes that they may read now or could read before
 * agree, in one commit: what is gained is wrapped for them, what is lost gets a new generation.
 * Nothing is written unless all of it can be. Run again after it was cut off, it ends the work.
 * Takes a member with an admin role who can open those scopes. Throws E_MEMBER_NOT_FOUND,
 * E_USAGE for an unknown role and for the last admin, E_PERMISSION_DENIED, and E_NO_ACCESS and
 * E_NO_READERS with the scope.
 */
export async function setRoles(
  session: Session,
  options: PolicyWriteOptions,
  request: RolesRequest,
): Promise<WriteOutcome<ChangedRoles>> {
  return await writeFiles(session.place, options, async (tree) => {
    const committed = await readCommittedPolicy(session.place, tree);
    const { files, concerned, ...prepared } = await prepare(session, tree, request, committed);
    const scopes = await planScopes(session, prepared.policy, tree, concerned, options.onProgress);
    const { isChanged } = prepared;
    const subject = `policies: set roles of ${request.name}`;
    const beside = besideChange(committed, { isChanged, written: files });
    return {
      changes: [...scopes.changes, ...files, ...beside.removed],
      touched: [...scopes.touched, ...beside.touched],
      landing: "any order",
      text: { subject, reason: "policy", note: options.note, rekeyed: scopes.rekeyed },
      result: { ...prepared, scopes: scopes.changed },
    };
  });
}

async function prepare(
  session: Session,
  tree: Tree,
  { name, roles }: RolesRequest,
  committed: CommittedPolicy,
): Promise<RolesPreview> {
  const before = await loadPolicy(tree);
  await checkOwnAdmin(session, before);
  const member = requireMember(before, name);
  checkRoles(before, roles);
  if (!isAdmin(before, { ...member, roles })) checkOtherAdmin(before, member);
  const edits = setMemberRoles(name, member.roles, roles);
  const text = (await readText(tree, accessPolicyPath)) ?? "";
  const bytes = editPolicy(text, setVersion(nextVersion(before, committed)), edits);
  const files = edits.length === 0 ? [] : [{ path: accessPolicyPath, bytes }];
  const policy = await loadPolicy(plannedTree(tree, files));
  const old = new Set(await listReadableScopes(tree, before, name));
  const atHead = committed.policy;
  if (atHead !== undefined) for (const scope of await listReadableScopes(tree, atHead, name)) old.add(scope);
  const now = new Set(await listReadableScopes(tree, policy, name));
  const concerned = [...new Set([...old, ...now])].toSorted(compareText);
  return {
    policy,
    isChanged: files.length > 0 || !sameRoles(atHead?.members.get(name)?.roles ?? roles, roles),
    gained: await readNames(
      tree,
      concerned.filter((scope) => !old.has(scope)),
    ),
    lost: await readNames(
      tree,
      concerned.filter((scope) => !now.has(scope)),
    ),
    files,
    concerned,
  };
}

function sameRoles(a: readonly string[], b: readonly string[]): boolean {
  return a.every((role) => b.includes(role)) && b.every((role) => a.includes(role));
}

async function readNames(tree: Tree, scopes: readonly ScopePath[]): Promise<ReadableScope[]> {
  const found: ReadableScope[] = [];
  for (const scope of scopes) found.push({ scope, secrets: [...((await readScope(tree, scope))?.keys() ?? [])] });
  return found;
}
