import { findPolicy } from "../access/policy.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import { listScopes, readScope } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { scopeNotFound } from "../values/not-found.ts";
import { compareReaders, type ReaderChange } from "./compare-readers.ts";
import { isSameValue, toState, type SealedState } from "./compare-secrets.ts";
import { readReaders } from "./compare-trees.ts";

/** A name in two scopes of one tree. */
export interface NamePair {
  readonly name: SecretName;
  readonly left: SealedState | undefined;
  readonly right: SealedState | undefined;
  /** `same`: one value by its id. What is on both sides may be equal all the same; only a key tells. */
  readonly where: "left" | "right" | "both" | "same";
}

/** Two scopes that belong together: their paths below the two folders are the same. */
export interface ScopePair {
  /** A scope that is only on one side has a path on the other all the same. */
  readonly left: ScopePath;
  readonly right: ScopePath;
  /** All names, sorted. */
  readonly names: readonly NamePair[];
  /** Who reads the right one and not the left one gains, and the other way round. */
  readonly readers: readonly ReaderChange[];
}

/**
 * Two scopes, or two folders of scopes, of one tree by name. Needs no key. Throws
 * E_SCOPE_NOT_FOUND for a side that is neither, and what reading a scope throws.
 */
export async function compareScopes(
  tree: Tree,
  {
    left,
    right,
    includes,
  }: { readonly left: ScopePath; readonly right: ScopePath; readonly includes: (scope: ScopePath) => boolean },
): Promise<ScopePair[]> {
  const scopes = await listScopes(tree);
  const below = async (folder: ScopePath) => {
    const rests = scopes.filter((scope) => scope === folder || scope.startsWith(`${folder}/`));
    if (rests.length === 0) throw await scopeNotFound(tree, folder, "a folder of scopes will do too");
    return rests.map((scope) => scope.slice(folder.length));
  };
  const rests = [...new Set([...(await below(left)), ...(await below(right))])].sort(compareText);
  const { policy } = await findPolicy(tree);
  const pairs: ScopePair[] = [];
  for (const rest of rests) {
    const [first, second] = [`${left}${rest}` as ScopePath, `${right}${rest}` as ScopePath];
    if (!includes(first) && !includes(second)) continue;
    const readers = compareReaders(await readReaders(tree, first, policy), await readReaders(tree, second, policy));
    pairs.push({ left: first, right: second, names: await pairNames(tree, first, second), readers });
  }
  return pairs;
}

async function pairNames(tree: Tree, left: ScopePath, right: ScopePath): Promise<NamePair[]> {
  const [first, second] = [await readScope(tree, left), await readScope(tree, right)];
  const names = [...new Set([...(first?.keys() ?? []), ...(second?.keys() ?? [])])].sort(compareText);
  return names.map((name) => {
    const sides = { name, left: toState(first?.get(name)?.record), right: toState(second?.get(name)?.record) };
    if (sides.left === undefined) return { ...sides, where: "right" };
    if (sides.right === undefined) return { ...sides, where: "left" };
    return { ...sides, where: isSameValue(sides.left, sides.right) ? "same" : "both" };
  });
}
