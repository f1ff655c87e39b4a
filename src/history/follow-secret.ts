import { readChangeHistory } from "../git/change-history.ts";
import { listParents } from "../git/ancestors.ts";
import { openObjects } from "../git/objects.ts";
import type { GitPlace } from "../git/place.ts";
import type { Address } from "../secret/address.ts";
import { reasonTrailer } from "../store/commit-message.ts";
import { parseSecretsPath, secretsDirectory } from "../store/layout.ts";
import { maxTreeFileBytes } from "../store/tree.ts";
import { SightingReader, type SeenValues } from "./sighting-reader.ts";
import { listVersions, type Version } from "./versions.ts";

/** Where a secret was before it was moved, and the versions it had there. */
export interface FormerPlace {
  readonly address: Address;
  /** Full id of the commit that moved it from there. */
  readonly movedIn: string;
  /** As listVersions gives them for this address, up to the move. */
  readonly versions: readonly Version[];
  readonly warnings: readonly string[];
}

/** More moves than anybody makes. */
const maxMoves = 100;
const nothing: SeenValues = new Map();

/**
 * The places a secret was moved here from, the last first. A move is a commit that brings the
 * first of `versions` and takes the same value, by its id, from another address. Needs no key.
 */
export async function listFormerPlaces(
  place: GitPlace,
  address: Address,
  versions: readonly Version[],
): Promise<FormerPlace[]> {
  const places: FormerPlace[] = [];
  let [at, first] = [address, versions[0]];
  while (first?.valueId !== undefined && places.length < maxMoves) {
    const source = await findSource(place, first.commit, { address: at, valueId: first.valueId });
    if (source === undefined) break;
    const former = await listVersions(place, source.address, source.parent);
    places.push({ address: source.address, movedIn: first.commit, ...former });
    [at, first] = [source.address, former.versions[0]];
  }
  return places;
}

interface Source {
  readonly address: Address;
  /** Full id of the parent that has it. */
  readonly parent: string;
}

/** The address that a commit took a value from; of several the first by path and name. */
async function findSource(
  place: GitPlace,
  commit: string,
  { address, valueId }: { readonly address: Address; readonly valueId: string },
): Promise<Source | undefined> {
  const options = { from: commit, paths: [secretsDirectory], trailer: reasonTrailer, order: "first" } as const;
  for await (const { commit: id, changes } of readChangeHistory(place, options)) {
    if (id !== commit) return undefined;
    const parents = await listParents(place, commit);
    const objects = openObjects(place);
    const reader = new SightingReader();
    const read = async (blob: string | undefined): Promise<SeenValues> => {
      if (blob === undefined) return nothing;
      for await (const { bytes } of objects.readBlobs([blob], maxTreeFileBytes))
        return bytes === undefined ? nothing : reader.read(bytes);
      return nothing;
    };
    try {
      for (const { path, before, after, mode } of changes) {
        const parsed = parseSecretsPath(path);
        if (parsed?.kind !== "scope" || (after !== undefined && !mode.startsWith("100"))) continue;
        const now = await read(after);
        for (const [index, parent] of parents.entries()) {
          const found = [...(await read(before[index]))].find(
            ([name, seen]) =>
              seen.valueId === valueId &&
              now.get(name)?.valueId !== valueId &&
              !(parsed.scope === address.scope && name === address.name),
          );
          if (found !== undefined) return { address: { scope: parsed.scope, name: found[0] }, parent };
        }
      }
    } finally {
      objects.close();
    }
  }
  return undefined;
}
