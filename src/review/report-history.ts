import { listCommitRange, type RangeCommit } from "../git/commit-range.ts";
import { openObjects } from "../git/objects.ts";
import { readPathHistory } from "../git/path-history.ts";
import type { GitPlace } from "../git/place.ts";
import { listSightings, parseSighting } from "../history/scan-scope.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { reasonTrailer } from "../store/commit-message.ts";
import { policiesDirectory, scopeFilePath, secretsDirectory } from "../store/layout.ts";
import { maxTreeFileBytes } from "../store/tree.ts";
import type { SecretChange } from "./report-changes.ts";

/** The commits between two commits that touch secrets or policies, parents before children. */
export async function listReportCommits(place: GitPlace, base: string, head: string): Promise<RangeCommit[]> {
  return await listCommitRange(place, {
    base,
    head,
    paths: [secretsDirectory, policiesDirectory],
    trailer: reasonTrailer,
  });
}

/**
 * By address: the commit that made a secret what it is now, the last one that is no merge where
 * there is one. What no commit of the range did, such as a change of the work tree, is not there.
 */
export async function findSetters(
  place: GitPlace,
  commits: readonly RangeCommit[],
  changes: readonly SecretChange[],
): Promise<ReadonlyMap<string, RangeCommit>> {
  const byPath = groupByPath(changes);
  const blobs = new Set<string>();
  for (const { changes: files } of commits)
    for (const { path, before, after } of files)
      if (byPath.has(path)) for (const id of [before, after]) if (id !== undefined) blobs.add(id);
  const states = await readStates(place, [...blobs]);
  const setters = new Map<string, RangeCommit>();
  for (const isMerge of [true, false]) {
    for (const commit of commits) {
      if (commit.parents.length > 1 !== isMerge) continue;
      for (const { path, before, after } of commit.changes) {
        for (const change of byPath.get(path) ?? []) {
          const [old, now] = [stateIn(states, before, change), stateIn(states, after, change)];
          if (old !== now && now === wantedState(change)) setters.set(printAddress(change), commit);
        }
      }
    }
  }
  return setters;
}

/**
 * Those of `changes` whose value stood in the same scope at some commit up to `from`: the last
 * commit that brought it there, by address.
 */
export async function findEarlierValues(
  place: GitPlace,
  from: string,
  changes: readonly SecretChange[],
): Promise<ReadonlyMap<string, string>> {
  const wanted = new Set(changes.map(keyOf));
  const scopes = new Map(changes.map(({ scope }) => [scopeFilePath(scope), scope]));
  // Too many paths do not fit into a command line.
  const paths = scopes.size > 500 ? [secretsDirectory] : [...scopes.keys()];
  const versions = new Map<string, { commit: string; path: string }>();
  for await (const { commit, changes: files } of readPathHistory(place, { from, allRefs: false, paths }))
    for (const { path, after } of files)
      if (after !== undefined && scopes.has(path)) versions.set(after, { commit, path });
  const found = new Map<string, string>();
  const objects = openObjects(place);
  try {
    for await (const { id, bytes } of objects.readBlobs([...versions.keys()], maxTreeFileBytes)) {
      const version = versions.get(id);
      if (bytes === undefined || version === undefined) continue;
      for (const text of listSightings(bytes)) {
        const key = `${scopes.get(version.path) ?? ""} ${parseSighting(text)?.valueId ?? ""}`;
        if (wanted.has(key)) found.set(key, version.commit);
      }
    }
  } finally {
    objects.close();
  }
  return new Map(
    changes.flatMap((change) => {
      const commit = found.get(keyOf(change));
      return commit === undefined ? [] : [[printAddress(change), commit] as const];
    }),
  );
}

function keyOf({ scope, after }: SecretChange): string {
  return `${scope} ${after?.valueId ?? ""}`;
}

function groupByPath(changes: readonly SecretChange[]): ReadonlyMap<string, readonly SecretChange[]> {
  const groups = new Map<string, SecretChange[]>();
  for (const change of changes) {
    const path = scopeFilePath(change.scope);
    const group = groups.get(path);
    if (group === undefined) groups.set(path, [change]);
    else group.push(change);
  }
  return groups;
}

/** By blob: names to what stands there, as far as the header says. */
async function readStates(
  place: GitPlace,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const states = new Map<string, ReadonlyMap<string, string>>();
  if (ids.length === 0) return states;
  const objects = openObjects(place);
  try {
    for await (const { id, bytes } of objects.readBlobs(ids, maxTreeFileBytes)) {
      if (bytes === undefined) continue;
      const sightings = listSightings(bytes).flatMap((text) => parseSighting(text) ?? []);
      states.set(id, new Map(sightings.map((sighting) => [sighting.name, sayState(sighting)])));
    }
  } finally {
    objects.close();
  }
  return states;
}

function stateIn(
  states: ReadonlyMap<string, ReadonlyMap<string, string>>,
  blob: string | undefined,
  { name }: Address,
): string | undefined {
  return blob === undefined ? undefined : states.get(blob)?.get(name);
}

function wantedState({ after }: SecretChange): string | undefined {
  return after?.valueId === undefined ? undefined : sayState({ valueId: after.valueId, generation: after.generation });
}

function sayState({ valueId, generation }: { valueId: string; generation: string | undefined }): string {
  return `${valueId} ${generation ?? "drop"}`;
}
