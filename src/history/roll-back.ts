import type { Session } from "../access/session.ts";
import { readSealedHeader } from "../crypto/sealed-header.ts";
import { SealtreeError } from "../errors.ts";
import type { GitPlace } from "../git/place.ts";
import { printAddress, type Address, type ScopePath, type SecretName } from "../secret/address.ts";
import { sameValue } from "../store/changed-secrets.ts";
import { openCommitTree } from "../store/commit-tree.ts";
import { withFallback } from "../store/fallback-tree.ts";
import { readScope } from "../store/keyring.ts";
import type { ScopeEntries, ScopeEntry } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";
import { openWorkTree } from "../store/work-tree.ts";
import type { WriteOptions, WriteOutcome } from "../store/write.ts";
import type { ChangeSummary, ValueChange } from "../values/change-scope.ts";
import { openEntries } from "../values/open-scope.ts";
import type { ValueOrigin } from "../values/seal-value.ts";
import type { Secret } from "../secret/secret.ts";
import { suggest } from "../secret/suggest.ts";
import { writeValues } from "../values/write-values.ts";
import type { PastPoint } from "./find-version.ts";
import { listFormerPlaces } from "./follow-secret.ts";
import { listVersions } from "./versions.ts";

/** What a rollback would do, told without a key. */
export interface RollbackPlan {
  readonly scope: ScopePath;
  readonly point: PastPoint;
  /** Secrets that get an older value, or come back. */
  readonly restored: readonly SecretName[];
  /** Secrets that were not there. */
  readonly removed: readonly SecretName[];
  /** Records at the point, of the secrets that are rolled back. */
  readonly past: ScopeEntries;
  /** Records at the time of planning. */
  readonly expected: ReadonlyMap<SecretName, string | undefined>;
}

/**
 * Plans to bring a scope, or the one secret `name` of it, back to what it was at `point`.
 * Throws E_VERSION_NOT_FOUND when it was not there.
 */
export async function planRollback(
  place: GitPlace,
  scope: ScopePath,
  point: PastPoint,
  name?: SecretName,
): Promise<RollbackPlan> {
  const now = (await readScope(openWorkTree(place.root), scope)) ?? new Map<SecretName, ScopeEntry>();
  const all = await readPast(place, scope, point);
  const entry = name === undefined ? undefined : all?.get(name);
  if (all === undefined || (name !== undefined && entry === undefined)) {
    throw await notThere(place, scope, point, name, [...(all?.keys() ?? [])]);
  }
  const past = name === undefined || entry === undefined ? all : new Map([[name, entry]]);
  const others = name === undefined ? [...now.keys()].filter((other) => !past.has(other)) : [];
  return {
    scope,
    point,
    restored: [...past].filter(([each, { record }]) => !sameValue(record, now.get(each)?.record)).map(([each]) => each),
    removed: others,
    past,
    expected: new Map([...past.keys(), ...others].map((each) => [each, now.get(each)?.record])),
  };
}

/**
 * Seals the records of a plan under the current generation; value ids and times are those of
 * then, comments those of now. A value that is the same already stays as it is. Throws E_RACED
 * when a value changed since the plan, and what opening the records throws; nothing is then
 * written.
 */
export async function applyRollback(
  session: Session,
  plan: RollbackPlan,
  options: WriteOptions & { readonly note?: string | undefined },
): Promise<WriteOutcome<readonly ChangeSummary[]>> {
  const { scope, point, past, removed, expected } = plan;
  const note = options.note ?? `to ${point.label}`;
  const isUntouched = (name: SecretName, entry: ScopeEntry) => expected.get(name) === entry.record;
  const outcome = await writeValues(
    session,
    { ...options, verb: "roll back", reason: "rollback", note },
    async (tree) => {
      const now = (await readScope(tree, scope)) ?? new Map<SecretName, ScopeEntry>();
      const touched = new Map([...past].filter(([name, entry]) => !isUntouched(name, entry)));
      const changes = new Map<SecretName, ValueChange>(removed.map((name) => [name, { action: "unset" }]));
      for (const [name, value] of await openAt(session, tree, { scope, point }, touched)) {
        const comments = now.has(name) ? {} : { comments: past.get(name)?.comments ?? [] };
        changes.set(name, { action: "set", ...value, ...comments });
      }
      return [{ scope, changes, expected }];
    },
  );
  const untouched = [...past].filter(([name, entry]) => isUntouched(name, entry)).map(([name]) => name);
  const result = outcome.result.map((summary) => ({ ...summary, unchanged: [...summary.unchanged, ...untouched] }));
  return { ...outcome, result };
}

/**
 * The values that `names` had at the point of a plan, with their value ids and times; those that were
 * not there are left out. Throws what opening the records throws.
 */
export async function openPast(
  session: Session,
  { scope, point }: Pick<RollbackPlan, "scope" | "point">,
  names: readonly SecretName[],
): Promise<Map<SecretName, PastValue>> {
  const past = await readPast(session.place, scope, point);
  const wanted = new Map<SecretName, ScopeEntry>();
  for (const name of names) {
    const entry = past?.get(name);
    if (entry !== undefined) wanted.set(name, entry);
  }
  return await openAt(session, openWorkTree(session.place.root), { scope, point }, wanted);
}

/** A value of then, with its value id and time. */
interface PastValue {
  readonly origin: ValueOrigin;
  readonly secret: Secret;
}

/** Opens records of a point in time, by keys that `tree` has or that were there then. */
async function openAt(
  session: Session,
  tree: Tree,
  { scope, point }: Pick<RollbackPlan, "scope" | "point">,
  entries: ScopeEntries,
): Promise<Map<SecretName, PastValue>> {
  const then = await openCommitTree(session.place, point.commit);
  try {
    const sealed = openEntries(withFallback(tree, then), scope, entries, await session.identities());
    const opened = new Map<SecretName, PastValue>();
    for (const [name, { record }] of entries) {
      const { valueId, createdAt } = readSealedHeader(record);
      opened.set(name, { origin: { valueId, createdAt }, secret: await sealed.openSealed(name, record) });
    }
    return opened;
  } finally {
    then.close();
  }
}

/** A secret that has been moved since is told where it was; `names` are those of its scope then. */
async function notThere(
  place: GitPlace,
  scope: ScopePath,
  { commit, label }: PastPoint,
  name: SecretName | undefined,
  names: readonly SecretName[],
): Promise<SealtreeError> {
  const what = name === undefined ? scope : `${scope}/${name}`;
  const former = name === undefined ? undefined : await findFormerAddress(place, { scope, name }, commit);
  const moved =
    former === undefined
      ? []
      : [
          `it was ${printAddress(former)} then: sealtree get ${printAddress(former)} --at ${commit.slice(0, 9)} --reveal --yes | sealtree set ${what} --stdin`,
        ];
  const near = name === undefined || former !== undefined ? [] : suggest(name, names);
  return new SealtreeError("E_VERSION_NOT_FOUND", `${what} is not in ${label}`, {
    hints: [...moved, ...near, `sealtree log ${what} shows when it was`],
  });
}

/** Where a secret that was moved stood at a commit. */
async function findFormerAddress(place: GitPlace, address: Address, commit: string): Promise<Address | undefined> {
  const { versions } = await listVersions(place, address);
  const then = await openCommitTree(place, commit);
  try {
    for (const former of await listFormerPlaces(place, address, versions))
      if ((await readScope(then, former.address.scope))?.has(former.address.name) === true) return former.address;
    return undefined;
  } finally {
    then.close();
  }
}

async function readPast(place: GitPlace, scope: ScopePath, { commit }: PastPoint): Promise<ScopeEntries | undefined> {
  const then = await openCommitTree(place, commit);
  try {
    return await readScope(then, scope);
  } finally {
    then.close();
  }
}
