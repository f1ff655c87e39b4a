import type { Session } from "../access/session.ts";
import { parseRecordHeader } from "../crypto/record.ts";
import { SealtreeError } from "../errors.ts";
import type { GitPlace } from "../git/place.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { sameValue } from "../store/changed-secrets.ts";
import { openCommitTree } from "../store/commit-tree.ts";
import { readScope } from "../store/keyring.ts";
import type { ScopeEntries, ScopeEntry } from "../store/scope-file.ts";
import type { Tree } from "../store/tree.ts";
import { openWorkTree } from "../store/work-tree.ts";
import type { WriteOptions, WriteOutcome } from "../store/write.ts";
import type { ChangeSummary, ValueChange } from "../values/change-scope.ts";
import { openEntries } from "../values/open-scope.ts";
import { writeValues } from "../values/write-values.ts";
import type { PastPoint } from "./find-version.ts";

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
    throw new SealtreeError(
      "E_VERSION_NOT_FOUND",
      `${name === undefined ? scope : `${scope}/${name}`} is not in ${point.label}`,
      {
        hints: [`sealtree log ${name === undefined ? scope : `${scope}/${name}`} shows when it was`],
      },
    );
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
      const then = await openCommitTree(session.place, point.commit);
      try {
        const now = (await readScope(tree, scope)) ?? new Map<SecretName, ScopeEntry>();
        const sealed = openEntries(withFallback(tree, then), scope, past, await session.identities());
        const changes = new Map<SecretName, ValueChange>(removed.map((name) => [name, { action: "unset" }]));
        for (const [name, entry] of past) {
          if (isUntouched(name, entry)) continue;
          const { valueId, createdAt } = parseRecordHeader(entry.record);
          const secret = await sealed.openSealed(name, entry.record);
          const comments = now.has(name) ? {} : { comments: entry.comments };
          changes.set(name, { action: "set", secret, origin: { valueId, createdAt }, ...comments });
        }
        return [{ scope, changes, expected }];
      } finally {
        then.close();
      }
    },
  );
  const untouched = [...past].filter(([name, entry]) => isUntouched(name, entry)).map(([name]) => name);
  const result = outcome.result.map((summary) => ({ ...summary, unchanged: [...summary.unchanged, ...untouched] }));
  return { ...outcome, result };
}

async function readPast(place: GitPlace, scope: ScopePath, { commit }: PastPoint): Promise<ScopeEntries | undefined> {
  const then = await openCommitTree(place, commit);
  try {
    return await readScope(then, scope);
  } finally {
    then.close();
  }
}

/** Reads what `tree` lacks from `fallback`: generations that are gone from the keyring. */
function withFallback(tree: Tree, fallback: Tree): Tree {
  return { ...tree, read: async (path) => (await tree.read(path)) ?? (await fallback.read(path)) };
}
