import { readChangeHistory, type ChangeCommit, type CommitChange } from "../git/change-history.ts";
import { openObjects, type ObjectReader } from "../git/objects.ts";
import type { GitPlace } from "../git/place.ts";
import type { Address, ScopePath } from "../secret/address.ts";
import { reasonTrailer } from "../store/commit-message.ts";
import { parseSecretsPath, secretsDirectory } from "../store/layout.ts";
import { maxTreeFileBytes } from "../store/tree.ts";
import { toCommitInfo, type CommitInfo } from "./scope-commits.ts";
import { listChanges, type ScopeChanges } from "./scope-log.ts";
import { SightingReader, type SeenValues } from "./sighting-reader.ts";

/** A value that left one address and came to another in the same commit. */
export interface Move {
  readonly from: Address;
  readonly to: Address;
}

/** A commit that changed secrets, whatever their scopes. */
export interface RepositoryChange extends CommitInfo {
  /** Sorted by scope. What was moved is in `set` and `removed` too. */
  readonly scopes: readonly ({ readonly scope: ScopePath } & ScopeChanges)[];
  readonly moves: readonly Move[];
}

/** How many commits are read at once. */
const readAhead = 32;
const nothing: SeenValues = new Map();

/**
 * The commits that changed secrets, newest first, along the history that leads to `from` (a full
 * id); `wants` says which of them are read. A merge is one of them only for what no parent has.
 * Needs no key; takes one `git log` and one `git cat-file`.
 */
export async function* readRepositoryLog(
  place: GitPlace,
  from: string,
  wants: (commit: CommitInfo) => boolean,
): AsyncGenerator<RepositoryChange, void, void> {
  const options = { from, paths: [secretsDirectory], trailer: reasonTrailer, order: "date" } as const;
  const objects = openObjects(place);
  const reader = new SightingReader();
  let batch: ChangeCommit[] = [];
  try {
    for await (const commit of readChangeHistory(place, options)) {
      if (wants(toCommitInfo(commit))) batch.push(commit);
      if (batch.length < readAhead) continue;
      yield* await readBatch(objects, reader, batch);
      batch = [];
    }
    yield* await readBatch(objects, reader, batch);
  } finally {
    objects.close();
  }
}

async function readBatch(
  objects: ObjectReader,
  reader: SightingReader,
  commits: readonly ChangeCommit[],
): Promise<RepositoryChange[]> {
  const ids = commits.flatMap(({ changes }) => changes.filter(isScopeFile).flatMap(idsOf));
  const files = new Map<string | undefined, SeenValues>();
  for await (const { id, bytes } of objects.readBlobs([...new Set(ids)], maxTreeFileBytes))
    if (bytes !== undefined) files.set(id, reader.read(bytes));
  return commits.map((commit) => describe(commit, files)).filter(({ scopes }) => scopes.length > 0);
}

function describe(commit: ChangeCommit, files: ReadonlyMap<string | undefined, SeenValues>): RepositoryChange {
  const scopes: ({ readonly scope: ScopePath } & ScopeChanges)[] = [];
  const [gone, come] = [new Map<string, Address>(), new Map<string, Address>()];
  for (const { path, before, after } of commit.changes) {
    const parsed = parseSecretsPath(path);
    if (parsed?.kind !== "scope") continue;
    const { scope } = parsed;
    const now = files.get(after) ?? nothing;
    const parents = before.map((id) => files.get(id) ?? nothing);
    const changes = listChanges({ before: parents, after: now });
    if (Object.values(changes).some(({ length }) => length > 0)) scopes.push({ scope, ...changes });
    for (const name of changes.set) come.set(now.get(name)?.valueId ?? "", { scope, name });
    for (const [name, { valueId }] of parents[0] ?? nothing)
      if (now.get(name)?.valueId !== valueId) gone.set(valueId, { scope, name });
  }
  const moves = [...come].flatMap(([valueId, to]) => {
    const from = gone.get(valueId);
    return from === undefined ? [] : [{ from, to }];
  });
  return { ...toCommitInfo(commit), scopes, moves };
}

function isScopeFile({ path, after, mode }: CommitChange): boolean {
  return parseSecretsPath(path)?.kind === "scope" && (after === undefined || mode.startsWith("100"));
}

function idsOf({ before, after }: CommitChange): string[] {
  return [after, ...before].filter((id) => id !== undefined);
}
