import { resolveCommit } from "../git/revision.ts";
import type { GitPlace } from "../git/place.ts";
import { compareText } from "../secret/text-order.ts";
import { ContentSearch } from "./content-search.ts";
import { scanHistory, scanStaged, type HistoryPart } from "./scan-blobs.ts";
import { scanTargets, scanWorkTree } from "./scan-disk.ts";
import { ScanCollector, type OnScanProgress, type ScanResult } from "./scan-result.ts";
import { tokenShapes } from "./token-shapes.ts";
import type { WantedValues } from "./wanted-values.ts";

/** What is searched. */
export type ScanSource =
  | { readonly kind: "work tree"; readonly withIgnored: boolean }
  /** Absolute paths. */
  | { readonly kind: "paths"; readonly targets: readonly string[] }
  | { readonly kind: "index" }
  /** Undefined for a history without a commit. */
  | { readonly kind: "history"; readonly part: HistoryPart | undefined };

export interface ScanRequest {
  readonly place: GitPlace;
  readonly source: ScanSource;
  readonly wanted: WantedValues;
  /** Globs of files that are left out. */
  readonly excludes: readonly string[];
  readonly onProgress: OnScanProgress;
}

/**
 * Looks for values and for what looks like a token of a provider. Nothing of what it finds is in the
 * result, and it writes nothing. Findings are sorted by file; those of the history are in its order. Throws E_FILE_NOT_FOUND and E_GIT_FAILED.
 */
export async function scan({ place, source, wanted, excludes, onProgress }: ScanRequest): Promise<ScanResult> {
  const collector = new ScanCollector(new ContentSearch(wanted.needles, tokenShapes), excludes);
  if (source.kind === "work tree") {
    await scanWorkTree(place, collector, { withIgnored: source.withIgnored, onProgress });
  } else if (source.kind === "paths") await scanTargets(place, collector, source.targets, onProgress);
  else if (source.kind === "index") await scanStaged(place, collector, onProgress);
  else if (source.part !== undefined) await scanHistory(place, collector, source.part, onProgress);
  if (source.kind !== "history") collector.findings.sort((a, b) => compareText(a.file, b.file));
  return collector;
}

/**
 * The part of the history that `range` names: `A..B` what B has and A has not, a single revision all
 * that led to it; an end that is left out is HEAD. Throws E_REVISION_NOT_FOUND.
 */
export async function parseHistoryRange(place: GitPlace, range: string): Promise<HistoryPart> {
  const [first = "", last] = range.split(/\.{2,3}/);
  const resolve = async (name: string) => await resolveCommit(place, name === "" ? "HEAD" : name);
  if (last === undefined) return { from: await resolve(first), without: undefined, allRefs: false };
  return { from: await resolve(last), without: await resolve(first), allRefs: false };
}
