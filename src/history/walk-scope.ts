import { parseRecordHeader, type RecordHeader } from "../crypto/record.ts";
import { isSealtreeError } from "../errors.ts";
import { openObjects, type ObjectReader } from "../git/objects.ts";
import type { GitPlace } from "../git/place.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { scopeFilePath } from "../store/layout.ts";
import { parseScopeFile } from "../store/scope-file.ts";
import { maxTreeFileBytes } from "../store/tree.ts";
import { isShallow, listScopeCommits, type ScopeCommit } from "./scope-commits.ts";

/** The secrets of a scope at one commit, as far as can be read without a key. */
export type Snapshot = ReadonlyMap<SecretName, RecordHeader>;

export interface HistoryStep {
  readonly commit: ScopeCommit;
  /** One for each parent; empty for the first commit. */
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

const readAhead = 64;
const nothing: Snapshot = new Map();

/**
 * Calls `visit` for every commit of a scope's history, parents before children. A file or a
 * record that cannot be read counts as unchanged and gives a warning. Needs no key; takes one
 * `git log` and one `git cat-file`.
 */
export async function walkScope(
  place: GitPlace,
  scope: ScopePath,
  options: WalkOptions,
  visit: (step: HistoryStep) => void,
): Promise<WalkEnd> {
  const [commits, shallow] = await Promise.all([listScopeCommits(place, scope, options.from), isShallow(place)]);
  const warnings = shallow
    ? ["this clone is shallow: older commits are missing, and versions are counted from the oldest that is here"]
    : [];
  const snapshots = new SnapshotStore(commits);
  const objects = openObjects(place);
  let head = nothing;
  try {
    for (let start = 0; start < commits.length; start += readAhead) {
      const batch = commits.slice(start, start + readAhead);
      const files = await Promise.all(batch.map(({ commit }) => readFile(objects, commit, scope)));
      for (const [index, commit] of batch.entries()) {
        const before = commit.parents.map((parent) => snapshots.take(parent));
        const after = readSnapshot(
          files[index],
          { scope, commit, before: before[0] ?? nothing, warnings },
          options.name,
        );
        snapshots.put(commit.commit, after);
        visit({ commit, before, after });
        head = after;
      }
    }
  } finally {
    objects.close();
  }
  return { head, warnings };
}

/** Keeps a snapshot until all children of its commit have been visited. */
class SnapshotStore {
  readonly #waiting = new Map<string, number>();
  readonly #snapshots = new Map<string, Snapshot>();

  constructor(commits: readonly ScopeCommit[]) {
    for (const { parents } of commits)
      for (const parent of parents) this.#waiting.set(parent, (this.#waiting.get(parent) ?? 0) + 1);
  }

  put(commit: string, snapshot: Snapshot): void {
    if (this.#waiting.has(commit)) this.#snapshots.set(commit, snapshot);
  }

  take(commit: string): Snapshot {
    const snapshot = this.#snapshots.get(commit) ?? nothing;
    const left = (this.#waiting.get(commit) ?? 1) - 1;
    this.#waiting.set(commit, left);
    if (left === 0) this.#snapshots.delete(commit);
    return snapshot;
  }
}

/** Bytes, undefined where the file is not there, or our error. */
async function readFile(
  objects: ObjectReader,
  commit: string,
  scope: ScopePath,
): Promise<Uint8Array | Error | undefined> {
  try {
    return await objects.readBlob(`${commit}:${scopeFilePath(scope)}`, maxTreeFileBytes);
  } catch (error) {
    if (isSealtreeError(error) && error.code === "E_UNSAFE_FILE") return error;
    throw error;
  }
}

interface Reading {
  readonly scope: ScopePath;
  readonly commit: ScopeCommit;
  readonly before: Snapshot;
  readonly warnings: string[];
}

function readSnapshot(file: Uint8Array | Error | undefined, reading: Reading, only: SecretName | undefined): Snapshot {
  if (file === undefined) return nothing;
  const pass = (what: string) =>
    reading.warnings.push(`passed over commit ${reading.commit.commit.slice(0, 9)}: ${what}`);
  if (file instanceof Error) {
    pass(file.message);
    return reading.before;
  }
  try {
    return readHeaders(file, reading, only, pass);
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    pass(error.message);
    return reading.before;
  }
}

function readHeaders(
  file: Uint8Array,
  { scope, before }: Reading,
  only: SecretName | undefined,
  pass: (what: string) => void,
): Snapshot {
  const snapshot = new Map<SecretName, RecordHeader>();
  for (const [name, { record }] of parseScopeFile(file, scope)) {
    if (only !== undefined && name !== only) continue;
    try {
      snapshot.set(name, parseRecordHeader(record));
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      const known = before.get(name);
      if (known !== undefined) snapshot.set(name, known);
      pass(`${scope}/${name}: ${error.message}`);
    }
  }
  return snapshot;
}
