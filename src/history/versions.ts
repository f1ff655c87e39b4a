import { readSealedHeader } from "../crypto/sealed-header.ts";
import { isSealtreeError } from "../errors.ts";
import type { GitPlace } from "../git/place.ts";
import { findHead } from "../git/revision.ts";
import type { Address } from "../secret/address.ts";
import { readScope } from "../store/keyring.ts";
import { openWorkTree } from "../store/work-tree.ts";
import type { CommitInfo } from "./scope-commits.ts";
import { walkScope } from "./walk-scope.ts";

/** What a secret was given: a value, known by its id, or none. */
export interface VersionState {
  /** Undefined when the secret was removed. */
  readonly valueId: string | undefined;
  /** When the value was set, in seconds since 1970; undefined when the secret was removed. */
  readonly setAt: number | undefined;
}

/** One version of a secret: a commit that gave it another value, or removed it. */
export interface Version extends VersionState, CommitInfo {
  /** Counted from 1, the oldest. */
  readonly version: number;
  /** An earlier version that has the same value. */
  readonly sameAs: number | undefined;
  /** True for the version in force at the commit the list starts from. */
  readonly isCurrent: boolean;
}

export interface VersionList {
  /** Oldest first. */
  readonly versions: readonly Version[];
  /** The work tree's value where that is another one; only when the list starts at HEAD. */
  readonly uncommitted: VersionState | undefined;
  readonly warnings: readonly string[];
}

const absent: VersionState = { valueId: undefined, setAt: undefined };

/**
 * The versions of a secret along the history that leads to `at` (a full commit id), or to HEAD
 * and the work tree without. A version is a change of value id: a value that was only sealed
 * again is none, and a merge that takes a parent's value is none. Needs no key. Reading the
 * work tree throws as parseScopeFile does.
 */
export async function listVersions(place: GitPlace, address: Address, at?: string): Promise<VersionList> {
  const from = at ?? (await findHead(place));
  const found: (VersionState & CommitInfo)[] = [];
  const end =
    from === undefined
      ? undefined
      : await walkScope(place, address.scope, { from, name: address.name }, ({ commit, before, after }) => {
          const state = toState(after.get(address.name));
          const states = before.map((snapshot) => toState(snapshot.get(address.name)));
          const isNew = states.every(({ valueId }) => valueId !== state.valueId);
          if (isNew && (found.at(-1) ?? absent).valueId !== state.valueId) found.push({ ...commit, ...state });
        });
  const head = toState(end?.head.get(address.name));
  const current = found.findLastIndex(({ valueId }) => valueId === head.valueId);
  const first = new Map(found.map(({ valueId }, index) => [valueId, index + 1] as const).reverse());
  const versions = found.map((state, index) => {
    const same = state.valueId === undefined ? undefined : first.get(state.valueId);
    return {
      ...state,
      version: index + 1,
      sameAs: same === index + 1 ? undefined : same,
      isCurrent: index === current,
    };
  });
  const warnings = [...(end?.warnings ?? [])];
  const now = at === undefined ? await readWorkTree(place, address, warnings) : undefined;
  return { versions, uncommitted: now === undefined || now.valueId === head.valueId ? undefined : now, warnings };
}

/**
 * The version before the one in force: the newest older one with another value. Undefined when
 * there is none.
 */
export function findPrevious({ versions, uncommitted }: VersionList): Version | undefined {
  const current = versions.findLast(({ isCurrent }) => isCurrent);
  const now = uncommitted ?? current;
  return versions.findLast(
    ({ version, valueId }) =>
      valueId !== undefined &&
      valueId !== now?.valueId &&
      (uncommitted !== undefined || version < (current?.version ?? 0)),
  );
}

/** Undefined, with a warning, when the file cannot be read: in the middle of a merge the log is needed most. */
async function readWorkTree(
  place: GitPlace,
  { scope, name }: Address,
  warnings: string[],
): Promise<VersionState | undefined> {
  try {
    const record = (await readScope(openWorkTree(place.root), scope))?.get(name)?.record;
    return record === undefined ? absent : toState(readSealedHeader(record));
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    warnings.push(`passed over the work tree: ${error.message}`);
    return undefined;
  }
}

function toState(header: { readonly valueId: string; readonly createdAt: number } | undefined): VersionState {
  return header === undefined ? absent : { valueId: header.valueId, setAt: header.createdAt };
}
