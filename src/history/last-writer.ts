import { hasGit, type GitPlace } from "../git/place.ts";
import { findHead, resolveCommit } from "../git/revision.ts";
import type { Address } from "../secret/address.ts";
import { scopeFilePath } from "../store/layout.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { listSightings, parseSighting } from "./scan-scope.ts";
import { findValueOrigins } from "./value-origins.ts";

export interface Writer {
  readonly name: string;
  readonly email: string;
  readonly commit: string;
  /** RFC 3339. */
  readonly at: string;
}

/**
 * Who gave a secret the value it has: the newest commit with that value, by its id, that none of
 * its parents has. Looks at the history that leads to `revision`, or to HEAD for the value in the
 * work tree. Undefined when there is no value, and when it is not committed.
 */
export async function findLastWriter(
  place: GitPlace,
  { scope, name }: Address,
  revision?: string,
): Promise<Writer | undefined> {
  if (!hasGit(place)) return undefined;
  const from = revision === undefined ? await findHead(place) : await resolveCommit(place, revision);
  if (from === undefined) return undefined;
  const origin = (await findValueOrigins(place, scope, { from, names: [name] })).get(name);
  if (origin === undefined) return undefined;
  if (revision === undefined && (await readWorkTree(place, { scope, name })) !== origin.valueId) return undefined;
  return { ...origin.author, commit: origin.commit, at: origin.at };
}

async function readWorkTree(place: GitPlace, { scope, name }: Address): Promise<string | undefined> {
  const bytes = await openWorkTree(place.root).read(scopeFilePath(scope));
  const own = (bytes === undefined ? [] : listSightings(bytes)).find(
    (text) => text.startsWith(`${name}: `) || text.startsWith(`"${name}": `),
  );
  return own === undefined ? undefined : parseSighting(own)?.valueId;
}
