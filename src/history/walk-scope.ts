import type { SealedHeader } from "../crypto/sealed-header.ts";
import { isSealtreeError } from "../errors.ts";
import { openObjects, type BulkBlob } from "../git/objects.ts";
import type { GitPlace } from "../git/place.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { scopeFilePath } from "../store/layout.ts";
import { maxTreeFileBytes } from "../store/tree.ts";
import { isShallow, listScopeCommits, type ScopeCommit } from "./scope-commits.ts";
import { SnapshotReader } from "./snapshot-reader.ts";

/** The secrets of a scope at one commit, as far as can be read without a key. */
export type Snapshot = ReadonlyMap<SecretName, SealedHeader>;

export interface HistoryStep {
  readonly commit: ScopeCommit;
  /** One for each parent; that of an empty tree for a first commit. */
  readonly before: readonly Snapshot[];
  readonly after: Snapshot;
}

export interface WalkOptions {
  /** Full id of the commit to start from. */
  readonly from: string;
  /** Looks at one secret only. */
  readonly name?: SecretName;
}

export interface WalkEnd {
  /** The secrets at the commit the walk started from. */
  readonly head: Snapshot;
  /** What could not be read and was passed over, one sentence each. */
  readonly warnings: readonly string[];
}

const nothing: Snapshot = new Map();

/**
 * Calls `visit` for every commit of a scope's history, parents before children. A file or a
 * record that cannot be read counts as unchanged and gives a warning. Needs no key; takes one
 * `git log` and one `git cat-file`, and reads every version once.
 */
export async function walkScope(
  place: GitPlace,
  scope: ScopePath,
  options: WalkOptions,
  visit: (step: HistoryStep) => void,
): Promise<WalkEnd> {
  const [newestFirst, shallow] = await Promise.all([listScopeCommits(place, scope, options.from), isShallow(place)]);
  const commits = newestFirst.reverse();
  const warnings = shallow
    ? ["this clone is shallow: older commits are missing, and versions are counted from the oldest that is here"]
    : [];
  const snapshots = new SnapshotStore(commits);
  const reader = new SnapshotReader(scope);
  const wanted = new Set(commits.flatMap(({ after, isRegular }) => (after !== undefined && isRegular ? [after] : [])));
  const objects = openObjects(place);
  const blobs = objects.readBlobs([...wanted], maxTreeFileBytes);
  let head = nothing;
  try {
    for (const commit of commits) {
      const before = commit.before.map((id) => snapshots.take(id));
      let after = commit.after === undefined ? nothing : snapshots.find(commit.after);
      if (after === undefined) {
        const blob = commit.isRegular ? await nextBlob(blobs, commit.after) : undefined;
        after = readSnapshot(blob, reader, { scope, commit, before: before[0] ?? nothing, warnings }, options.name);
      }
      if (commit.after !== undefined) snapshots.put(commit.after, after);
      visit({ commit, before, after });
      head = after;
    }
  } finally {
    objects.close();
  }
  return { head, warnings };
}

/** Keeps the snapshot of a file, by its object id, until all commits that have it have been visited. */
class SnapshotStore {
  readonly #waiting = new Map<string, number>();
  readonly #snapshots = new Map<string, Snapshot>();

  constructor(commits: readonly ScopeCommit[]) {
    for (const id of commits.flatMap(({ before, after }) => [...before, after]))
      if (id !== undefined) this.#waiting.set(id, (this.#waiting.get(id) ?? 0) + 1);
  }

  find(id: string): Snapshot | undefined {
    return this.#snapshots.get(id);
  }

  /** For the commit that has it; {@link take} for one that had it. */
  put(id: string, snapshot: Snapshot): void {
    this.#snapshots.set(id, snapshot);
    this.#leave(id);
  }

  take(id: string | undefined): Snapshot {
    if (id === undefined) return nothing;
    const snapshot = this.#snapshots.get(id) ?? nothing;
    this.#leave(id);
    return snapshot;
  }

  #leave(id: string): void {
    const left = (this.#waiting.get(id) ?? 1) - 1;
    this.#waiting.set(id, left);
    if (left === 0) this.#snapshots.delete(id);
  }
}

/** The blob `id`, which comes before all that are needed later. */
async function nextBlob(
  blobs: AsyncGenerator<BulkBlob, void, void>,
  id: string | undefined,
): Promise<BulkBlob | undefined> {
  for (;;) {
    const next = await blobs.next();
    if (next.done === true || next.value.id === id) return next.done === true ? undefined : next.value;
  }
}

interface Reading {
  readonly scope: ScopePath;
  readonly commit: ScopeCommit;
  readonly before: Snapshot;
  readonly warnings: string[];
}

/** What cannot be read is as it was before. */
function readSnapshot(
  blob: BulkBlob | undefined,
  reader: SnapshotReader,
  { scope, commit, before, warnings }: Reading,
  only: SecretName | undefined,
): Snapshot {
  const pass = (what: string) => warnings.push(`passed over commit ${commit.commit.slice(0, 9)}: ${what}`);
  if (blob?.bytes === undefined) {
    pass(`${scopeFilePath(scope)} is ${blob === undefined ? "not a regular file" : blob.why}`);
    return before;
  }
  const snapshot = new Map<SecretName, SealedHeader>();
  try {
    for (const [name, seen] of reader.read(blob.bytes)) {
      if (only !== undefined && name !== only) continue;
      if (!isSealtreeError(seen)) {
        snapshot.set(name, seen);
        continue;
      }
      const known = before.get(name);
      if (known !== undefined) snapshot.set(name, known);
      pass(`${scope}/${name}: ${seen.message}`);
    }
    return snapshot;
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    pass(error.message);
    return before;
  }
}
