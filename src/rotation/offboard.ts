import { listReaders } from "../access/permission.ts";
import { findPolicy, loadPolicy, type Policy } from "../access/policy.ts";
import { rekeyScopes } from "../access/rekey-scopes.ts";
import { removeMember } from "../access/remove-member.ts";
import type { Session } from "../access/session.ts";
import { SealtreeError } from "../errors.ts";
import { findHead } from "../git/revision.ts";
import { findExposure, type ExposedValue, type Exposure } from "../history/exposure.ts";
import { isSubject, type Subject } from "../history/exposure-subject.ts";
import { printAddress, type Address, type ScopePath } from "../secret/address.ts";
import { listScopes, readKeyring } from "../store/keyring.ts";
import { accessPolicyPath, memberPath } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import type { WriteOptions } from "../store/write.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { findWay, valueKey, valueKeys } from "./exposed.ts";
import { loadRotationPolicy, type RotationPolicy } from "./policy.ts";
import { rotateScopes, type RotatedScope } from "./rotate.ts";
import { selectRotations, type NotRotated, type Rotation } from "./select.ts";
import { rotationStatus } from "./status.ts";

/** A value that somebody could read and that sealtree does not give a successor. */
export interface LeftValue extends Address {
  readonly owner: string | undefined;
  readonly runbook: string | undefined;
  readonly reason: string;
  /** True when sealtree should have rotated it and could not; false when it is a person's work. */
  readonly isFailure: boolean;
}

/** What is to be done to end a member's access. */
export interface OffboardPlan {
  readonly name: string;
  readonly exposure: Exposure;
  /** True when the policy has them. */
  readonly isMember: boolean;
  /** Scopes that they can read now, which get a new key. */
  readonly scopes: readonly ScopePath[];
  /** Values that sealtree gives a successor. */
  readonly rotations: readonly Rotation[];
  readonly left: readonly LeftValue[];
}

export interface OffboardRequest {
  readonly name: string;
  readonly allRefs: boolean;
  /** False to leave all values as they are. */
  readonly rotates: boolean;
}

export interface OffboardOptions extends WriteOptions {
  readonly note?: string | undefined;
}

/** What was done. */
export interface Offboarded {
  /** The commit of the removal; undefined when there was none to make. */
  readonly commit: string | undefined;
  /** Scopes that were rekeyed. */
  readonly scopes: readonly ScopePath[];
  readonly rotated: readonly RotatedScope[];
  readonly left: readonly LeftValue[];
}

/**
 * What it takes to end somebody's access: the removal, the scopes to rekey, and every value in
 * force that they could ever read, with who gives it a successor. Works for a member who was
 * removed already, and changes nothing. Throws E_MEMBER_NOT_FOUND, E_POLICY_INVALID, and E_USAGE
 * for a recovery key.
 */
export async function planOffboard(session: Session, request: OffboardRequest): Promise<OffboardPlan> {
  const { place } = session;
  const { name, allRefs } = request;
  const tree = openWorkTree(place.root);
  // What is wrong with the policy must not keep somebody from going; removeMember checks the outcome.
  const policy = (await findPolicy(tree)).policy ?? (await loadPolicy(tree));
  if (policy.recovery.has(name)) throw isRecovery(name);
  const from = await findHead(place);
  const exposure = await findExposure(place, { who: { name }, policy, tree, from, allRefs });
  const scopes = await listReadable(tree, policy, exposure.subject);
  return {
    name,
    exposure,
    isMember: policy.members.has(name),
    scopes,
    ...(await planRotation(session, tree, exposure, request)),
  };
}

/**
 * Carries a plan out: removes the member and rekeys, in one commit; then gives values successors,
 * one commit a scope, after looking again at what is there. Run again, it goes on with what is
 * left. Throws what removeMember throws, and nothing was written then; a rotation that fails is
 * in `left`.
 */
export async function offboard(
  session: Session,
  plan: OffboardPlan,
  request: OffboardRequest,
  options: OffboardOptions,
): Promise<Offboarded> {
  const removal = await endAccess(session, plan, options);
  const tree = openWorkTree(session.place.root);
  const { rotations, left } = await planRotation(session, tree, plan.exposure, request);
  const { commit, dryRun, note } = options;
  const rotated = await rotateScopes(session, rotations, { commit, dryRun, note, urgency: "planned" });
  const policy = await loadRotationPolicy(tree);
  const failed = rotated.flatMap(({ error, rotations: own }) =>
    error === undefined
      ? []
      : own.map(({ entry }) => ({ ...toLeft(policy, entry.address, error.message), isFailure: true })),
  );
  return { ...removal, rotated: rotated.filter(({ error }) => error === undefined), left: [...failed, ...left] };
}

/** A member, past or present, is removed by name; whom only keyrings remember is rekeyed away. */
async function endAccess(
  session: Session,
  { name, scopes }: OffboardPlan,
  options: OffboardOptions,
): Promise<Pick<Offboarded, "commit" | "scopes">> {
  const tree = openWorkTree(session.place.root);
  const policy = (await findPolicy(tree)).policy ?? (await loadPolicy(tree));
  if (policy.members.has(name) || policy.removed.has(name)) {
    const { commit, result } = await removeMember(session, options, { name, ownAccess: "keep" });
    return { commit, scopes: result.scopes.map(({ scope }) => scope) };
  }
  if (scopes.length === 0) return { commit: undefined, scopes: [] };
  const { commit, result } = await rekeyScopes(session, { ...options, what: "needed" });
  return { commit, scopes: result.map(({ scope }) => scope) };
}

async function planRotation(
  session: Session,
  tree: Tree,
  exposure: Exposure,
  { name, rotates }: OffboardRequest,
): Promise<Pick<OffboardPlan, "rotations" | "left">> {
  const { entries, unreadable } = await rotationStatus(tree, session.now());
  const selection = { kind: "exposed", values: valueKeys(exposure), isComplete: exposure.isComplete } as const;
  const { rotations, atProvider, notRotated } = selectRotations(entries, selection, "planned");
  const policy = await loadRotationPolicy(tree);
  const broken = new Map(unreadable.map(({ scope, error }) => [scope, error.message]));
  const chosen = new Set(
    [...[...rotations, ...notRotated].map(({ entry }) => entry), ...atProvider].map(({ address }) =>
      printAddress(address),
    ),
  );
  // What HEAD has and the work tree has not: a successor that is not committed, or a file that cannot be read.
  const elsewhere = exposure.exposed.filter((value) => !chosen.has(printAddress(value)));
  // Their rotation is recorded on the remote branch, which does not have the removal yet.
  const push = `changed at its provider, once this is pushed: sealtree rotate --exposed-to ${name}`;
  const left = [
    ...atProvider.map(({ address }) => ({ ...toLeft(policy, address, push), isFailure: false })),
    ...notRotated.map((item) => ({ ...toLeft(policy, item.entry.address, sayWhy(item)), isFailure: false })),
    ...(rotates ? [] : rotations).map(({ entry }) => ({
      ...toLeft(policy, entry.address, `not asked for: sealtree rotate --exposed-to ${name}`),
      isFailure: false,
    })),
    ...unique(elsewhere).map((value) => {
      const error = broken.get(value.scope);
      return {
        ...toLeft(policy, value, error ?? "the work tree has another, not committed"),
        isFailure: error !== undefined,
      };
    }),
  ];
  return { rotations: rotates ? rotations : [], left };
}

function isRecovery(name: string): SealtreeError {
  return new SealtreeError("E_USAGE", `${name} is a recovery key, and no member`, {
    hints: [
      `sealtree exposure ${name} lists what it can read`,
      `take it out of recovery in ${accessPolicyPath}, raise version, remove ${memberPath(name)}, then sealtree rekey`,
    ],
  });
}

function sayWhy({ entry }: NotRotated): string {
  return entry.rule === undefined ? "it has no rotation rule" : `its rotator is ${entry.rule.rotator}`;
}

function toLeft(policy: RotationPolicy, address: Address, reason: string): Omit<LeftValue, "isFailure"> {
  const { scope, name } = address;
  const way = findWay(policy, address);
  return { scope, name, owner: way?.owner, runbook: way?.runbook, reason };
}

function unique(values: readonly ExposedValue[]): ExposedValue[] {
  return [...new Map(values.map((value) => [valueKey(value), value])).values()];
}

/** Scopes that somebody can read now, by the policy or by a keyring. */
async function listReadable(tree: Tree, policy: Policy, subject: Subject): Promise<ScopePath[]> {
  const scopes: ScopePath[] = [];
  for (const scope of await listScopes(tree)) {
    const wrapped = [...(await readKeyring(tree, scope)).values()].flatMap(({ wrappedFor }) =>
      [...wrappedFor].flatMap(([name, prints]) => prints.map((fingerprint) => ({ name, fingerprint }))),
    );
    if ([...listReaders(policy, scope), ...wrapped].some((reader) => isSubject(subject, reader))) scopes.push(scope);
  }
  return scopes;
}
