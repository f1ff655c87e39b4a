import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { findGitDirectories } from "../git/commit.ts";
import { openObjects, type BulkBlob } from "../git/objects.ts";
import { readPathHistory, type PathChange } from "../git/path-history.ts";
import type { GitPlace } from "../git/place.ts";
import { parseSecretsPath, secretsDirectory } from "../store/layout.ts";
import { maxTreeFileBytes } from "../store/tree.ts";
import { HistoryTraces } from "./history-traces.ts";
import { isShallow } from "./scope-commits.ts";

export interface HistoryRange {
  /** Full id of the commit whose history is read; undefined before the first commit. */
  readonly from: string | undefined;
  /** Reads the other refs too. */
  readonly allRefs: boolean;
}

/** A version of a file that some commit brought. */
interface Version {
  readonly path: string;
  /** Place of the first commit that has it. */
  readonly first: number;
}

/** A change of a generation file, which may have taken a reader away. */
interface Rewrap {
  readonly at: number;
  readonly before: string;
  readonly after: string | undefined;
}

/**
 * Under which generations every value ever stood, and who could ever open those: all of it from
 * every version of every scope and generation file in the history, which every clone holds. Needs
 * no key. Takes one `git log` and one `git cat-file`, and reads each version once. What cannot be
 * read is passed over with a warning.
 */
export async function readReadableHistory(place: GitPlace, range: HistoryRange): Promise<HistoryTraces> {
  const traces = new HistoryTraces();
  if (range.from === undefined) return traces;
  for (const gap of await findGaps(place)) traces.warn(gap, { isGap: true });
  const sealed = new Map<string, Version>();
  const keyrings = new Map<string, Version>();
  const rewraps: Rewrap[] = [];
  const paths = [secretsDirectory];
  for await (const { commit, atSeconds, changes } of readPathHistory(place, { ...range, from: range.from, paths })) {
    const at = traces.addCommit(commit, atSeconds);
    for (const change of changes) {
      const kind = parseSecretsPath(change.path)?.kind;
      if (kind === undefined) continue;
      addVersion(kind === "generation" ? keyrings : sealed, change, at, traces);
      if (kind === "generation" && change.before !== undefined)
        rewraps.push({ at, before: change.before, after: change.after });
    }
  }
  await readVersions(place, sealed, keyrings, traces);
  for (const { at, before, after } of rewraps) traces.addRewrap(at, before, after);
  return traces;
}

function addVersion(
  versions: Map<string, Version>,
  { path, mode, after }: PathChange,
  at: number,
  traces: HistoryTraces,
): void {
  if (after === undefined || versions.has(after)) return;
  if (mode.startsWith("100")) versions.set(after, { path, first: at });
  else traces.warn(`${traces.sayCommit(at)}: ${path} is not a regular file`);
}

async function readVersions(
  place: GitPlace,
  sealed: ReadonlyMap<string, Version>,
  keyrings: ReadonlyMap<string, Version>,
  traces: HistoryTraces,
): Promise<void> {
  const objects = openObjects(place);
  try {
    for await (const blob of objects.readBlobs([...keyrings.keys()], maxTreeFileBytes)) {
      const version = keyrings.get(blob.id);
      if (version !== undefined && isThere(blob, version, traces))
        traces.addGeneration(version.path, version.first, blob.id, blob.bytes);
    }
    for await (const blob of objects.readBlobs([...sealed.keys()], maxTreeFileBytes)) {
      const version = sealed.get(blob.id);
      if (version !== undefined && isThere(blob, version, traces))
        traces.addScopeFile(version.path, version.first, blob.bytes);
    }
  } finally {
    objects.close();
  }
}

function isThere(
  blob: BulkBlob,
  { path, first }: Version,
  traces: HistoryTraces,
): blob is Extract<BulkBlob, { bytes: Uint8Array }> {
  if (blob.bytes !== undefined) return true;
  traces.warn(`${traces.sayCommit(first)}: ${path} is ${blob.why}`, { isGap: true });
  return false;
}

/** Why git does not show the whole history here. */
async function findGaps(place: GitPlace): Promise<string[]> {
  const gaps: string[] = [];
  if (await isShallow(place)) gaps.push("this clone is shallow, older commits are missing: git fetch --unshallow");
  const grafts = join((await findGitDirectories(place)).commonDirectory, "info", "grafts");
  if (existsSync(grafts) && statSync(grafts).size > 0)
    gaps.push("this clone has grafts, which may hide commits: remove .git/info/grafts");
  return gaps;
}
