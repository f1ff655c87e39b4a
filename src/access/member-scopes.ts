import { readSealedHeader } from "../crypto/sealed-header.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import type { GenerationFile } from "../store/generation-file.ts";
import { listScopes, readKeyring, readScope } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import type { FileChange, OnProgress } from "../store/write.ts";
import { readFormerAccess } from "./former-access.ts";
import { isAllowed } from "./permission.ts";
import type { Policy } from "./policy.ts";
import { planRekeys } from "./plan-rekeys.ts";
import type { PlannedRekey } from "./rekey.ts";
import type { Session } from "./session.ts";

/** What a member, or one of their keys, can read in a scope. */
export interface ReadableScope {
  readonly scope: ScopePath;
  readonly secrets: readonly SecretName[];
}

/** Whose reach is looked at. */
export interface Reach {
  readonly name: string;
  /** Of the recipients. */
  readonly fingerprints: ReadonlySet<string>;
  /** Policies by which the member may read, such as that of HEAD beside that of the work tree. */
  readonly policies: readonly Policy[];
}

/** Scopes of `tree` that the member may read by `policy`, a recovery key all; none for an unknown name. */
export async function listReadableScopes(tree: Tree, policy: Policy, name: string): Promise<ScopePath[]> {
  const scopes = await listScopes(tree);
  return policy.recovery.has(name) ? scopes : scopes.filter((scope) => mayRead(policy, name, scope));
}

/**
 * The scopes that somebody can read, by the policies or because the keyring is wrapped for
 * their keys, with the values that are within reach. Needs no key. A scope whose keyring only
 * remembers them comes without values.
 */
export async function listReach(tree: Tree, { name, fingerprints, policies }: Reach): Promise<ReadableScope[]> {
  const reach: ReadableScope[] = [];
  for (const scope of await listScopes(tree)) {
    const isReader = policies.some((policy) => mayRead(policy, name, scope));
    const known = new Set(
      [...(await readKeyring(tree, scope)).values()].filter((file) => knows(file, fingerprints)).map((file) => file.id),
    );
    if (!isReader && known.size === 0) continue;
    const entries = [...((await readScope(tree, scope)) ?? [])];
    const secrets = entries.filter(
      ([, { record }]) => isReader || known.has(readSealedHeader(record).generation ?? ""),
    );
    reach.push({ scope, secrets: secrets.map(([secret]) => secret) });
  }
  return reach;
}

/** How much that is. */
export function countReach(reach: readonly ReadableScope[]): { readonly scopes: number; readonly secrets: number } {
  const within = reach.filter(({ secrets }) => secrets.length > 0);
  return { scopes: within.length, secrets: within.reduce((total, { secrets }) => total + secrets.length, 0) };
}

/** A change of scopes as one part of a write. */
export interface PlannedScopes {
  /** Those that have something to write. */
  readonly changed: readonly PlannedRekey[];
  readonly changes: readonly FileChange[];
  readonly touched: readonly string[];
  /** Those whose records were sealed again or that have a new generation. */
  readonly rekeyed: readonly ScopePath[];
}

/** Plans what makes scopes agree with `policy`. Throws what {@link planRekeys} throws. */
export async function planScopes(
  session: Session,
  policy: Policy,
  tree: Tree,
  scopes: readonly ScopePath[],
  onProgress?: OnProgress,
): Promise<PlannedScopes> {
  const options = { mint: "if-needed", former: await readFormerAccess(session.place) } as const;
  const planned = await planRekeys(session, policy, tree, scopes, options, onProgress);
  const changed = planned.filter(({ files }) => files.length > 0);
  return {
    changed,
    changes: changed.flatMap(({ files }) => files),
    touched: planned.flatMap(({ touched }) => touched),
    rekeyed: changed.filter(({ minted, resealed }) => minted !== undefined || resealed > 0).map(({ scope }) => scope),
  };
}

function mayRead(policy: Policy, name: string, scope: ScopePath): boolean {
  const member = policy.members.get(name);
  return member !== undefined && isAllowed(policy, member, "read", scope);
}

function knows({ mintedFor, wrappedFor }: GenerationFile, fingerprints: ReadonlySet<string>): boolean {
  return [...mintedFor.values(), ...wrappedFor.values()].flat().some((print) => fingerprints.has(print));
}
