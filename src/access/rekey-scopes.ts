import { readSealedHeader } from "../crypto/sealed-header.ts";
import { listUncommitted } from "../git/changes.ts";
import { hasGit } from "../git/place.ts";
import type { ScopePath } from "../secret/address.ts";
import { listScopes, readKeyring, readScope } from "../store/keyring.ts";
import { parseSecretsPath, secretsDirectory } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import { writeFiles, type WriteOptions, type WriteOutcome } from "../store/write.ts";
import { findDrift, needsRekey, type ScopeDrift } from "./drift.ts";
import { findLostGenerations, readFormerAccess, type FormerAccess } from "./former-access.ts";
import { checkAllowed, findMember, isAdmin } from "./permission.ts";
import { loadPolicy, type Member, type Policy } from "./policy.ts";
import { listUncommittedPolicy, toCommitted } from "./committed-policy.ts";
import { checkStanzas } from "./check-stanzas.ts";
import { planRekeys } from "./plan-rekeys.ts";
import type { PlannedRekey } from "./rekey.ts";
import type { Session } from "./session.ts";

export interface RekeyRequest extends WriteOptions {
  readonly note?: string | undefined;
  /**
   * `needed`: scopes that differ from the policy, and of them only what differs; `all`: a new
   * generation for every scope; a scope: a new generation for that one.
   */
  readonly what: "needed" | "all" | { readonly scope: ScopePath };
}

/** A scope that was rekeyed, and how it differed from the policy before. */
export interface RekeyedScope extends PlannedRekey {
  readonly drift: ScopeDrift;
}

/**
 * How the scopes of a tree differ from the policy, found without a key. Throws what reading
 * them throws, and E_KEYRING_INTEGRITY for a generation with more or fewer stanzas than it lists.
 */
export async function listDrifts(tree: Tree, policy: Policy): Promise<ScopeDrift[]> {
  const drifts: ScopeDrift[] = [];
  for (const scope of await listScopes(tree)) drifts.push(await readDrift(tree, policy, scope));
  return drifts;
}

/**
 * Makes scopes agree with the policy, or gives them a new generation, all or nothing, in one
 * commit. A policy that was edited by hand and is not committed yet goes into the same commit.
 * Takes a member who may write in each scope, or has an admin role, and can open it. Values,
 * their ids and times stay. Throws E_NO_ACCESS and E_PERMISSION_DENIED with the scope, and what
 * {@link planRekeys} throws; then nothing was written.
 */
export async function rekeyScopes(
  session: Session,
  request: RekeyRequest,
): Promise<WriteOutcome<readonly RekeyedScope[]>> {
  const { what } = request;
  return await writeFiles(session.place, request, async (tree) => {
    const policy = await loadPolicy(tree);
    const member = await findMember(policy, await session.identities());
    const drifts =
      typeof what === "object" ? [await readDrift(tree, policy, what.scope)] : await listDrifts(tree, policy);
    const former = await readFormerAccess(session.place);
    const due = what === "needed" ? await listDue(tree, policy, drifts, former) : drifts;
    for (const { scope } of due) checkMayRekey(policy, member, scope);
    const mint = what === "needed" ? "if-needed" : "always";
    const named = due.map(({ scope }) => scope);
    const plans = await planRekeys(session, policy, tree, named, { mint, former }, request.onProgress);
    const planned = plans.flatMap((plan, index): RekeyedScope[] => {
      const drift = due[index];
      return drift === undefined || plan.files.length === 0 ? [] : [{ ...plan, drift }];
    });
    const policies = await listPolicyChanges(session, member, policy);
    const scopes = planned.map(({ scope }) => scope);
    return {
      changes: [...planned.flatMap(({ files }) => files), ...policies.removed],
      touched: [
        ...planned.flatMap(({ touched }) => touched),
        ...(await listCutOff(session, tree)),
        ...policies.touched,
      ],
      landing: "any order",
      text: {
        subject: scopes.length === 1 ? `secrets(${scopes[0] ?? ""}): rekey` : `secrets: rekey ${scopes.length} scopes`,
        reason: "rekey",
        note: request.note,
        rekeyed: scopes,
      },
      result: planned,
    };
  });
}

/** Scopes that differ from the policy, and those that somebody could read until now who is in no list of the keyring. */
async function listDue(
  tree: Tree,
  policy: Policy,
  drifts: readonly ScopeDrift[],
  former: FormerAccess | undefined,
): Promise<ScopeDrift[]> {
  const due: ScopeDrift[] = [];
  for (const drift of drifts) {
    const { scope } = drift;
    const isLost = async () => findLostGenerations(former, policy, scope, await readKeyring(tree, scope)).size > 0;
    if (needsRekey(drift) || (await isLost())) due.push(drift);
  }
  return due;
}

async function readDrift(tree: Tree, policy: Policy, scope: ScopePath): Promise<ScopeDrift> {
  const sealedUnder = new Map(
    [...((await readScope(tree, scope)) ?? [])].flatMap(([name, { record }]) => {
      const { generation } = readSealedHeader(record);
      return generation === undefined ? [] : [[name, generation] as const];
    }),
  );
  const keyring = await readKeyring(tree, scope);
  checkStanzas(scope, keyring);
  return findDrift(policy, scope, keyring, sealedUnder);
}

function checkMayRekey(policy: Policy, member: Member | undefined, scope: ScopePath): void {
  if (member === undefined || !isAdmin(policy, member)) checkAllowed(policy, member, "write", scope);
}

/**
 * Files of scopes whose keyring is not committed as it stands, which is what a run that was cut
 * off leaves behind; they go into this commit.
 */
async function listCutOff({ place }: Session, tree: Tree): Promise<string[]> {
  if (!hasGit(place)) return [];
  const parsed = (await listUncommitted(place, [secretsDirectory])).map(({ path }) => parseSecretsPath(path));
  const scopes = new Set(parsed.flatMap((item) => (item?.kind === "generation" ? [item.scope] : [])));
  return (await tree.list(secretsDirectory)).filter((path) => {
    const item = parseSecretsPath(path);
    return item !== undefined && item.kind !== "journal" && scopes.has(item.scope);
  });
}

/** What an admin changed in the access policy and has not committed. */
async function listPolicyChanges(
  { place }: Session,
  member: Member | undefined,
  policy: Policy,
): Promise<ReturnType<typeof toCommitted>> {
  const isAdminHere = member !== undefined && isAdmin(policy, member) && hasGit(place);
  return toCommitted(isAdminHere ? await listUncommittedPolicy(place) : []);
}
