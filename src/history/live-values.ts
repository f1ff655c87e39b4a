import { listUncommitted } from "../git/changes.ts";
import { openObjects } from "../git/objects.ts";
import type { GitPlace } from "../git/place.ts";
import { listTree } from "../git/revision.ts";
import { isSealtreeError } from "../errors.ts";
import { isSecretName, type Address, type ScopePath } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import { parseSecretsPath, secretsDirectory } from "../store/layout.ts";
import { maxTreeFileBytes } from "../store/tree.ts";
import { openWorkTree } from "../store/work-tree.ts";
import type { HistoryTraces } from "./history-traces.ts";
import { listSightings, parseSighting, type Sighting } from "./scan-scope.ts";

/** A value in force. */
export interface LiveValue extends Omit<Sighting, "name">, Address {
  /** `work tree` for a value that is not committed; the one it is to replace is listed beside it. */
  readonly place: "commit" | "work tree";
}

/**
 * The values of a commit, sorted by scope and name; and those of the work tree that are others,
 * when `withWorkTree`. What stands in the work tree is put into `traces` as its last version.
 */
export async function readLiveValues(
  place: GitPlace,
  traces: HistoryTraces,
  { from, withWorkTree }: { readonly from: string | undefined; readonly withWorkTree: boolean },
): Promise<LiveValue[]> {
  const committed = from === undefined ? [] : await readCommit(place, from);
  const known = new Set(committed.map(keyOf));
  const others = withWorkTree ? (await readWorkTree(place, traces)).filter((value) => !known.has(keyOf(value))) : [];
  return [...committed, ...others].sort((a, b) => compareText(a.scope, b.scope) || compareText(a.name, b.name));
}

async function readCommit(place: GitPlace, commit: string): Promise<LiveValue[]> {
  const files = new Map<string, ScopePath[]>();
  for (const { path, mode, id } of await listTree(place, commit, [secretsDirectory])) {
    const parsed = parseSecretsPath(path);
    if (parsed?.kind === "scope" && mode.startsWith("100")) files.set(id, [...(files.get(id) ?? []), parsed.scope]);
  }
  const objects = openObjects(place);
  try {
    const values: LiveValue[] = [];
    for await (const { id, bytes } of objects.readBlobs([...files.keys()], maxTreeFileBytes)) {
      if (bytes === undefined) continue;
      for (const scope of files.get(id) ?? []) values.push(...listValues(scope, bytes, "commit"));
    }
    return values;
  } finally {
    objects.close();
  }
}

/** Files that are not as in HEAD; the others say nothing new. */
async function readWorkTree(place: GitPlace, traces: HistoryTraces): Promise<LiveValue[]> {
  const tree = openWorkTree(place.root);
  const values: LiveValue[] = [];
  const at = traces.workTree;
  for (const { path, isThere } of await listUncommitted(place, [secretsDirectory])) {
    const parsed = parseSecretsPath(path);
    if (parsed === undefined || !isThere) continue;
    try {
      const bytes = await tree.read(path);
      if (bytes === undefined) continue;
      if (parsed.kind === "generation") traces.addGeneration(path, at, path, bytes);
      else traces.addScopeFile(path, at, bytes);
      if (parsed.kind === "scope") values.push(...listValues(parsed.scope, bytes, "work tree"));
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      traces.warn(`${traces.sayCommit(at)}: ${error.message}`);
    }
  }
  return values;
}

function listValues(scope: ScopePath, bytes: Uint8Array, place: LiveValue["place"]): LiveValue[] {
  return listSightings(bytes).flatMap((text) => {
    const sighting = parseSighting(text);
    if (sighting === undefined || !isSecretName(sighting.name)) return [];
    return [{ ...sighting, name: sighting.name, scope, place }];
  });
}

function keyOf({ scope, name, valueId }: LiveValue): string {
  return `${scope}/${name} ${valueId}`;
}
