import type { SealedHeader } from "../crypto/sealed-header.ts";
import type { GitPlace } from "../git/place.ts";
import { findHead } from "../git/revision.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import type { CommitInfo } from "./scope-commits.ts";
import { walkScope } from "./walk-scope.ts";

/** What a commit changed in a scope, by name; each list sorted. */
export interface ScopeChanges {
  /** Secrets that were given a value: new ones and changed ones. */
  readonly set: readonly SecretName[];
  readonly removed: readonly SecretName[];
  /** Secrets whose value stayed and was sealed under another generation, or for the first time: a drop that was adopted. */
  readonly resealed: readonly SecretName[];
}

/** A commit that changed secrets of a scope. */
export interface ScopeChangeEntry extends CommitInfo, ScopeChanges {}

type Seen = ReadonlyMap<SecretName, Pick<SealedHeader, "valueId" | "generation">>;

interface ScopeStep {
  readonly before: readonly Seen[];
  readonly after: Seen;
}

export interface ScopeLog {
  /** Oldest first. */
  readonly commits: readonly ScopeChangeEntry[];
  readonly warnings: readonly string[];
}

/**
 * The commits that changed secrets of a scope, along the history that leads to `at` (a full
 * commit id), HEAD without. A merge is listed only for what no parent has. Needs no key.
 */
export async function listScopeChanges(place: GitPlace, scope: ScopePath, at?: string): Promise<ScopeLog> {
  const from = at ?? (await findHead(place));
  const commits: ScopeChangeEntry[] = [];
  if (from === undefined) return { commits, warnings: [] };
  const { warnings } = await walkScope(place, scope, { from }, (step) => {
    const changes = listChanges(step);
    if (Object.values(changes).some(({ length }) => length > 0)) commits.push({ ...step.commit, ...changes });
  });
  return { commits, warnings };
}

/** What `after` has that none of `parents` has, by name. */
export function listChanges({ before: parents, after }: ScopeStep): ScopeChanges {
  const names = [...new Set([...parents, after].flatMap((snapshot) => [...snapshot.keys()]))].sort(compareText);
  const differs = (name: SecretName, field: "valueId" | "generation") =>
    parents.every((snapshot) => snapshot.get(name)?.[field] !== after.get(name)?.[field]);
  const changed = names.filter((name) => differs(name, "valueId"));
  return {
    set: changed.filter((name) => after.has(name)),
    removed: changed.filter((name) => !after.has(name)),
    resealed: names.filter((name) => !changed.includes(name) && differs(name, "generation")),
  };
}
