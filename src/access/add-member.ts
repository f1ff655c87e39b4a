import type { ScopePath } from "../secret/address.ts";
import { listScopes } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { writeFiles, type WriteOptions, type WriteOutcome } from "../store/write.ts";
import { planMember, type MemberRequest } from "./member-change.ts";
import { checkAdmin, findMember, isAllowed } from "./permission.ts";
import type { Policy } from "./policy.ts";
import { loadPolicy } from "./policy.ts";
import { planRekey, type PlannedRekey } from "./rekey.ts";
import type { Session } from "./session.ts";

export interface AddedMember {
  /** The policy after the change. */
  readonly policy: Policy;
  /** False when a key was added to a member there is. */
  readonly isNew: boolean;
  readonly isChanged: boolean;
  /** Scopes whose keyrings were wrapped again. */
  readonly scopes: readonly PlannedRekey[];
}

/** Scopes of `tree` that the member may read by `policy`; none for an unknown name. */
export async function listReadableScopes(tree: Tree, policy: Policy, name: string): Promise<ScopePath[]> {
  const member = policy.members.get(name);
  return member === undefined
    ? []
    : (await listScopes(tree)).filter((scope) => isAllowed(policy, member, "read", scope));
}

/**
 * Adds a member, or keys to one, and wraps the keyrings of every scope they may read to the
 * new keys, in one commit; nothing is written unless all of it can be. Takes a member with an
 * admin role who can open those scopes. Throws E_PERMISSION_DENIED, E_NO_ACCESS with the scope,
 * and what {@link planMember} throws.
 */
export async function addMember(
  session: Session,
  options: WriteOptions & { readonly note?: string | undefined },
  request: MemberRequest,
): Promise<WriteOutcome<AddedMember>> {
  return await writeFiles(session.place, options, async (tree) => {
    const before = await loadPolicy(tree);
    checkAdmin(before, await findMember(before, await session.identities()));
    const { files, policy, isNew } = await planMember(tree, request);
    const scopes: PlannedRekey[] = [];
    for (const scope of await listReadableScopes(tree, policy, request.name)) {
      scopes.push(await planRekey(session, policy, tree, scope, { mint: "if-needed" }));
    }
    const changed = scopes.filter((planned) => planned.files.length > 0);
    return {
      changes: [...changed.flatMap((planned) => planned.files), ...files],
      touched: scopes.flatMap(({ touched }) => touched),
      text: {
        subject: isNew ? `policies: add member ${request.name}` : `policies: add a key of ${request.name}`,
        reason: "policy",
        note: options.note,
        rekeyed: changed
          .filter(({ minted, resealed }) => minted !== undefined || resealed > 0)
          .map(({ scope }) => scope),
      },
      result: { policy, isNew, isChanged: files.length > 0, scopes: changed },
    };
  });
}
