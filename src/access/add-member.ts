import { writeFiles, type WriteOptions, type WriteOutcome } from "../store/write.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { readScope } from "../store/keyring.ts";
import { besideChange, readCommittedPolicy } from "./committed-policy.ts";
import { planMember, type MemberRequest, type PlannedMember } from "./member-change.ts";
import { listReadableScopes, planScopes, type ReadableScope } from "./member-scopes.ts";
import { checkAdmin, findMember } from "./permission.ts";
import { loadPolicy, type Policy } from "./policy.ts";
import type { PlannedRekey } from "./rekey.ts";
import type { Session } from "./session.ts";

export interface AddedMember extends Omit<PlannedMember, "files"> {
  /** Scopes whose keyrings were wrapped again. */
  readonly scopes: readonly PlannedRekey[];
}

/** What adding a member would give them to read. */
export interface MemberPreview extends PlannedMember {
  readonly reach: readonly ReadableScope[];
}

/** Options of a change of the policy. */
export interface PolicyWriteOptions extends WriteOptions {
  readonly note?: string | undefined;
}

/** What {@link addMember} would do, without doing it and without opening a scope. Throws as it does. */
export async function previewMember(session: Session, request: MemberRequest): Promise<MemberPreview> {
  const tree = openWorkTree(session.place.root);
  await checkOwnAdmin(session, await loadPolicy(tree));
  const planned = await planMember(tree, request, await readCommittedPolicy(session.place, tree));
  const reach: ReadableScope[] = [];
  for (const scope of await listReadableScopes(tree, planned.policy, request.name)) {
    reach.push({ scope, secrets: [...((await readScope(tree, scope))?.keys() ?? [])] });
  }
  return { ...planned, reach };
}

/**
 * Adds a member or a recovery key, or keys to one, and wraps the keyrings of every scope they
 * may read to the new keys, in one commit; nothing is written unless all of it can be. Takes a
 * member with an admin role who can open those scopes. Run again after it was cut off, it ends
 * the work. Throws E_PERMISSION_DENIED, E_NO_ACCESS with the scope, and what {@link planMember}
 * throws.
 */
export async function addMember(
  session: Session,
  options: PolicyWriteOptions,
  request: MemberRequest,
): Promise<WriteOutcome<AddedMember>> {
  return await writeFiles(session.place, options, async (tree) => {
    await checkOwnAdmin(session, await loadPolicy(tree));
    const committed = await readCommittedPolicy(session.place, tree);
    const { files, ...planned } = await planMember(tree, request, committed);
    const { name, kind } = request;
    const readable = await listReadableScopes(tree, planned.policy, name);
    const scopes = await planScopes(session, planned.policy, tree, readable, options.onProgress);
    const what = kind === "recovery" ? "recovery key" : "member";
    const beside = besideChange(committed, { isChanged: planned.isChanged, written: files });
    return {
      changes: [...scopes.changes, ...files, ...beside.removed],
      touched: [...scopes.touched, ...beside.touched],
      landing: "any order",
      text: {
        subject: planned.isNew ? `policies: add ${what} ${name}` : `policies: add a key of ${name}`,
        reason: "policy",
        note: options.note,
        rekeyed: scopes.rekeyed,
      },
      result: { ...planned, scopes: scopes.changed },
    };
  });
}

/** Throws E_PERMISSION_DENIED unless the user is an admin by `policy`. */
export async function checkOwnAdmin(session: Session, policy: Policy): Promise<void> {
  checkAdmin(policy, await findMember(policy, await session.identities()));
}
