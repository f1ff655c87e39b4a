import { findStaleGenerations, readKeyring } from "../store/keyring.ts";
import { currentGeneration } from "../access/generations.ts";
import { findMember, listReaders } from "../access/permission.ts";
import { loadPolicy, type Member, type Policy } from "../access/policy.ts";
import type { Session } from "../access/session.ts";
import { openRecord, parseRecordHeader } from "../crypto/record.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import { openCommitTree, type CommitTree } from "../store/commit-tree.ts";
import { openScope, type OpenScope } from "../values/open-scope.ts";
import { recordSealer, type RecordSealer } from "../values/seal-value.ts";
import { rekeyFirst } from "./branch-trust.ts";
import { loadRotationPolicy, type RotationPolicy } from "./policy.ts";

/** A scope as one commit has it, open for reading and for sealing. */
export interface ViewScope {
  readonly open: OpenScope;
  /** One for all that is sealed on this view, so that at most one generation is made. */
  readonly sealer: RecordSealer;
  /** Opens a record that a journal holds. Throws as opening a record does. */
  openJournaled(name: SecretName, record: string, purpose: "pending" | "previous"): Promise<Secret>;
  /** True for a record that somebody can open who may not read the scope now. */
  isStale(record: string): boolean;
}

/** The repository at one commit, as a rotation reads it. Everything is loaded when first asked for. */
export interface RotationView {
  readonly commit: string;
  readonly tree: CommitTree;
  /** The commit that programs take their values from, and whose rules and rights hold; `commit` itself without a trunk. */
  readonly trunkCommit: string;
  readonly trunk: CommitTree;
  policy(): Promise<Policy>;
  rules(): Promise<RotationPolicy>;
  /** Whose identity works here; undefined for nobody's. */
  member(): Promise<Member | undefined>;
  /** Throws E_SCOPE_NOT_FOUND, and what opening throws. */
  scope(scope: ScopePath): Promise<ViewScope>;
  close(): void;
}

/**
 * The view of `commit`, a full id that is here. With `trunkTip`, rules, rights and keys are those of that
 * commit, and sealing throws E_ROTATION_NOT_DONE where it would have to make a key.
 */
export async function openRotationView(session: Session, commit: string, trunkTip?: string): Promise<RotationView> {
  const trunkCommit = trunkTip ?? commit;
  const tree = await openCommitTree(session.place, commit);
  const trunk = trunkCommit === commit ? tree : await openCommitTree(session.place, trunkCommit);
  const once = <T>(load: () => Promise<T>) => {
    let loaded: Promise<T> | undefined;
    return () => (loaded ??= load());
  };
  const policy = once(() => loadPolicy(trunk));
  const scopes = new Map<ScopePath, Promise<ViewScope>>();
  const load = async (scope: ScopePath): Promise<ViewScope> => {
    const open = await openScope(tree, scope, await session.identities());
    const keyring = await readKeyring(trunk, scope);
    const readers = new Set(listReaders(await policy(), scope).map(({ fingerprint }) => fingerprint));
    const stale = findStaleGenerations(keyring, readers);
    return {
      open,
      sealer:
        trunkTip === undefined || currentGeneration(await policy(), scope, keyring) !== undefined
          ? recordSealer(session, await policy(), keyring, open)
          : { files: [], seal: () => Promise.reject(rekeyFirst(scope)) },
      async openJournaled(name, record, purpose) {
        const { dek } = await open.generation(parseRecordHeader(record).generation);
        return openRecord(dek, { scope, name, purpose }, record);
      },
      isStale: (record) => stale.has(parseRecordHeader(record).generation),
    };
  };
  return {
    commit,
    tree,
    trunkCommit,
    trunk,
    policy,
    rules: once(() => loadRotationPolicy(trunk)),
    member: once(async () => findMember(await policy(), await session.identities())),
    scope(scope) {
      const known = scopes.get(scope) ?? load(scope);
      scopes.set(scope, known);
      return known;
    },
    close() {
      tree.close();
      if (trunk !== tree) trunk.close();
    },
  };
}
