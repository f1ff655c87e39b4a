import { isSealtreeError } from "../errors.ts";
import { streamBlob } from "../git/blob-stream.ts";
import { listStaged } from "../git/list-files.ts";
import { openObjects, type BulkBlob } from "../git/objects.ts";
import { readPathHistory } from "../git/path-history.ts";
import type { GitPlace } from "../git/place.ts";
import { listTree } from "../git/revision.ts";
import type { TextSearch } from "./content-search.ts";
import type { OnScanProgress, ScanCollector, ScanCommit } from "./scan-result.ts";

/** A larger blob is read by a process of its own, and never held whole. */
const maxHeldBytes = 16 * 1024 * 1024;

interface BlobPlace {
  readonly path: string;
  readonly commit: ScanCommit | undefined;
}

/** A part of the history, by full ids. */
export interface HistoryPart {
  readonly from: string;
  /** What this commit has, and what came before it, is left out. */
  readonly without: string | undefined;
  /** Takes in all branches, tags and the stash. */
  readonly allRefs: boolean;
}

/** Searches the files that are staged, as they are in the index. */
export async function scanStaged(place: GitPlace, collector: ScanCollector, onProgress: OnScanProgress): Promise<void> {
  const blobs = new Map<string, BlobPlace>();
  for (const { path, mode, id } of await listStaged(place))
    if (mode.startsWith("100") && collector.takes(path)) blobs.set(id, { path, commit: undefined });
  await scanBlobs(place, collector, blobs, onProgress);
}

/** Searches every content that the history ever had, each once, at the first commit and path that has it. */
export async function scanHistory(
  place: GitPlace,
  collector: ScanCollector,
  part: HistoryPart,
  onProgress: OnScanProgress,
): Promise<void> {
  const known = new Set<string>();
  if (part.without !== undefined) for (const { id } of await listTree(place, part.without, [])) known.add(id);
  const blobs = new Map<string, BlobPlace>();
  for await (const { commit, atSeconds, changes } of readPathHistory(place, { ...part, paths: [] })) {
    const at = { id: commit, atSeconds };
    for (const { path, mode, after } of changes) {
      if (after === undefined || !mode.startsWith("100") || known.has(after) || blobs.has(after)) continue;
      if (collector.takes(path)) blobs.set(after, { path, commit: at });
    }
  }
  await scanBlobs(place, collector, blobs, onProgress);
}

async function scanBlobs(
  place: GitPlace,
  collector: ScanCollector,
  blobs: ReadonlyMap<string, BlobPlace>,
  onProgress: OnScanProgress,
): Promise<void> {
  const objects = openObjects(place);
  let done = 0;
  try {
    for await (const blob of objects.readBlobs([...blobs.keys()], maxHeldBytes)) {
      const { path, commit } = blobs.get(blob.id) ?? { path: "", commit: undefined };
      await collector.add(path, async (text) => await pushBlob(place, blob, text), commit);
      onProgress((done += 1), blobs.size);
    }
  } finally {
    objects.close();
  }
}

async function pushBlob(place: GitPlace, blob: BulkBlob, text: Pick<TextSearch, "push">): Promise<string | undefined> {
  if (blob.bytes !== undefined) {
    text.push(blob.bytes);
    return undefined;
  }
  if (blob.why !== "too large") return `is ${blob.why} in this clone`;
  try {
    for await (const chunk of streamBlob(place, blob.id)) text.push(chunk);
    return undefined;
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    return error.message;
  }
}
