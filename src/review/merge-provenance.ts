import type { TreeItem } from "../git/tree-object.ts";
import { sameValue } from "../store/changed-secrets.ts";
import { parseSecretsPath } from "../store/layout.ts";
import type { ScopeEntries, ScopeEntry } from "../store/scope-file.ts";
import type { JudgedTrees } from "./judged-trees.ts";
import { commentsOf, isRegular, listNeeds, listRecordNeeds, type Need } from "./needed-rights.ts";
import type { ScopeContents } from "./scope-contents.ts";

/** The root trees of a merge. */
export interface MergeTrees {
  readonly merged: string;
  readonly sides: readonly [string, string];
  /** Of the commits where the sides parted; asked for only where the sides differ. */
  bases(): Promise<readonly string[]>;
}

/** What something is in the merge, on its sides, and where they parted. */
interface Versions<T> {
  readonly merged: T | undefined;
  readonly sides: readonly [T | undefined, T | undefined];
  readonly bases: readonly (T | undefined)[];
}

/** How far a side is from where the sides parted. */
const changed = { not: 0, resealed: 1, value: 2 } as const;
type Changed = (typeof changed)[keyof typeof changed];

/**
 * The rights that a merge takes by itself. None where every record and file is what the side has
 * that changed it: of two that changed a record, either; of a side that set a value and one that
 * only sealed it again, the first. Whatever else stands in the merge somebody wrote into it. A
 * policy, or another file that decides who may do what, is never either of two: who merges two
 * changes of it answers for the outcome.
 */
export async function listMergeNeeds(trees: JudgedTrees, contents: ScopeContents, merge: MergeTrees): Promise<Need[]> {
  const [first, second] = await Promise.all(merge.sides.map((side) => trees.listChanges(side, merge.merged)));
  const found = new Map<
    string,
    { merged: TreeItem | undefined; sides: [TreeItem | undefined, TreeItem | undefined] }
  >();
  for (const { path, before, after } of first ?? []) found.set(path, { merged: after, sides: [before, after] });
  for (const { path, before, after } of second ?? [])
    found.set(path, { merged: after, sides: [found.has(path) ? found.get(path)?.sides[0] : after, before] });
  const needs: Need[] = [];
  if (found.size === 0) return needs;
  const bases = await merge.bases();
  for (const [path, { merged, sides }] of found) {
    const items = await Promise.all(bases.map((base) => trees.find(base, path)));
    const files = items.length === 0 ? [undefined] : items;
    needs.push(...(await listPathNeeds(contents, path, { merged, sides, bases: files })));
  }
  return needs;
}

async function listPathNeeds(contents: ScopeContents, path: string, versions: Versions<TreeItem>): Promise<Need[]> {
  const parsed = parseSecretsPath(path);
  const isWhole = parsed?.kind === "generation" || parsed?.kind === "journal";
  if (isFromOneSide(versions, sameItem, isWhole ? "either" : "one")) return [];
  if (parsed?.kind === "scope") {
    const records = await readVersions(versions, (item) => contents.read(parsed.scope, item));
    if (records !== undefined) return listEntryNeeds(parsed.scope, records);
  }
  const { merged, sides } = versions;
  const others = sides.filter((before) => sameItem(before, merged) !== changed.not);
  return (await Promise.all(others.map((before) => listNeeds(contents, { path, before, after: merged })))).flat();
}

function listEntryNeeds(scope: Parameters<typeof listRecordNeeds>[0], versions: Versions<ScopeEntries>): Need[] {
  const { merged, sides, bases } = versions;
  const names = new Set([merged, ...sides].flatMap((entries) => [...(entries?.keys() ?? [])]));
  return [...names].flatMap((name) => {
    const pick = (entries: ScopeEntries | undefined) => entries?.get(name);
    const one: Versions<ScopeEntry> = {
      merged: pick(merged),
      sides: [pick(sides[0]), pick(sides[1])],
      bases: bases.map(pick),
    };
    if (isFromOneSide(one, compareRecords, "either") && isFromOneSide(one, compareComments, "either")) return [];
    return one.sides.flatMap((before) => listRecordNeeds(scope, name, before, one.merged));
  });
}

/**
 * True when the merge has what a side has that went furthest from every base. Where both went as
 * far in different ways, `both` says whether either may be taken.
 */
function isFromOneSide<T>(
  { merged, sides, bases }: Versions<T>,
  compare: (a: T | undefined, b: T | undefined) => Changed,
  both: "either" | "one",
): boolean {
  const isTaken = sides.map((side) => compare(side, merged) === changed.not);
  if (isTaken.every(Boolean)) return true;
  const far = sides.map((side) => Math.min(...bases.map((base) => compare(base, side))));
  const furthest = Math.max(...far);
  if (furthest === changed.not) return false;
  if (both === "one" && far.every((distance) => distance === furthest)) return false;
  return sides.some((_side, index) => isTaken[index] === true && far[index] === furthest);
}

function sameItem(a: TreeItem | undefined, b: TreeItem | undefined): Changed {
  return a?.id === b?.id && a?.mode === b?.mode ? changed.not : changed.value;
}

function compareRecords(a: ScopeEntry | undefined, b: ScopeEntry | undefined): Changed {
  if (a?.record === b?.record) return changed.not;
  return sameValue(a?.record, b?.record) ? changed.resealed : changed.value;
}

function compareComments(a: ScopeEntry | undefined, b: ScopeEntry | undefined): Changed {
  return commentsOf(a) === commentsOf(b) ? changed.not : changed.value;
}

/** All versions read; undefined when one of them cannot be. */
async function readVersions(
  { merged, sides, bases }: Versions<TreeItem>,
  read: (item: TreeItem | undefined) => Promise<ScopeEntries | undefined>,
): Promise<Versions<ScopeEntries> | undefined> {
  const items = [merged, ...sides, ...bases];
  if (!items.every((item) => item === undefined || isRegular(item))) return undefined;
  const [one, first, second, ...others] = await Promise.all(items.map(read));
  if (one === undefined || first === undefined || second === undefined) return undefined;
  if (others.some((entries) => entries === undefined)) return undefined;
  return { merged: one, sides: [first, second], bases: others };
}
