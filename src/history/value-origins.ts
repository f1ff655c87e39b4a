import { openObjects } from "../git/objects.ts";
import type { GitPlace } from "../git/place.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { maxTreeFileBytes } from "../store/tree.ts";
import type { Sighting } from "./scan-scope.ts";
import { listScopeCommits, type CommitInfo, type ScopeCommit } from "./scope-commits.ts";
import { SightingReader, type SeenValues } from "./sighting-reader.ts";

/** The value that a secret has at a commit, and the commit that gave it. */
export interface ValueOrigin extends CommitInfo {
  readonly valueId: string;
  /** Seconds since 1970. */
  readonly setAt: number;
}

const nothing: SeenValues = new Map();

/**
 * Who gave the secrets of a scope the values they have at `from` (a full id): for each the newest
 * commit with that value, by its id, that none of its parents has. All secrets, or those in
 * `names`. One walk from the newest commit back, which ends when the last one is found. A file
 * that is damaged says what its sound lines say. Needs no key.
 */
export async function findValueOrigins(
  place: GitPlace,
  scope: ScopePath,
  { from, names }: { readonly from: string; readonly names?: readonly SecretName[] },
): Promise<Map<SecretName, ValueOrigin>> {
  const commits = await listScopeCommits(place, scope, from);
  const origins = new Map<SecretName, ValueOrigin>();
  let open: Map<SecretName, Sighting> | undefined;
  for await (const { commit, before, after } of readVersions(place, commits)) {
    open ??= new Map([...after].filter(([name]) => names?.includes(name) !== false));
    for (const [name, { valueId, createdAt }] of open) {
      const hasIt = (values: SeenValues) => values.get(name)?.valueId === valueId;
      if (!hasIt(after) || before.some(hasIt)) continue;
      const { commit: id, author, at, reason, subject, note } = commit;
      origins.set(name, { commit: id, author, at, reason, subject, note, valueId, setAt: createdAt });
      open.delete(name);
    }
    if (open.size === 0) break;
  }
  return origins;
}

interface ScopeVersions {
  readonly commit: ScopeCommit;
  readonly before: readonly SeenValues[];
  readonly after: SeenValues;
}

/** Each commit with what it and its parents hold, in the order given. Reads each version once, and none ahead of need but what is on its way. */
async function* readVersions(
  place: GitPlace,
  commits: readonly ScopeCommit[],
): AsyncGenerator<ScopeVersions, void, void> {
  const ids = new Set(commits.flatMap(({ before, after }) => [after, ...before].filter((id) => id !== undefined)));
  const uses = new Map<string, number>();
  for (const { before, after } of commits)
    for (const id of [after, ...before]) if (id !== undefined) uses.set(id, (uses.get(id) ?? 0) + 1);
  const objects = openObjects(place);
  const blobs = objects.readBlobs([...ids], maxTreeFileBytes);
  const known = new Map<string, SeenValues>();
  const reader = new SightingReader();
  const valuesOf = async (id: string | undefined): Promise<SeenValues> => {
    if (id === undefined) return nothing;
    while (!known.has(id)) {
      const next = await blobs.next();
      if (next.done === true) return nothing;
      known.set(next.value.id, next.value.bytes === undefined ? nothing : reader.read(next.value.bytes));
    }
    const values = known.get(id) ?? nothing;
    const left = (uses.get(id) ?? 1) - 1;
    uses.set(id, left);
    if (left === 0) known.delete(id);
    return values;
  };
  try {
    for (const commit of commits) {
      const after = await valuesOf(commit.after);
      const before: SeenValues[] = [];
      for (const id of commit.before) before.push(await valuesOf(id));
      yield { commit, before, after };
    }
  } finally {
    objects.close();
  }
}
