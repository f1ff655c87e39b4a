import { isDeepStrictEqual } from "node:util";
import type { YamlEdit, YamlValue } from "../store/edit-yaml.ts";
import type { Side } from "./merged-content.ts";

export type YamlMap = { readonly [key: string]: YamlValue };

/** One file in its three versions, as data. */
export interface YamlSides {
  /** Several where it is not known what the base had; what differs among them, nobody left as it was. */
  readonly bases: readonly YamlMap[];
  readonly ours: YamlMap;
  readonly theirs: YamlMap;
}

/** One entry in its three versions; undefined where there is none. */
export interface EntrySides {
  readonly bases: readonly (YamlValue | undefined)[];
  readonly ours: YamlValue | undefined;
  readonly theirs: YamlValue | undefined;
}

/** What makes ours the merge: edits of our text, or the entry of theirs, which replaces ours or goes with it. */
export type YamlStep =
  | { readonly kind: "edit"; readonly edits: readonly YamlEdit[] }
  | { readonly kind: "take"; readonly path: readonly string[]; readonly value: YamlValue | undefined };

export interface MergeSteps {
  readonly steps: readonly YamlStep[];
  /** Paths of the entries that both sides changed, each in its own way. */
  readonly conflicts: readonly (readonly string[])[];
}

/**
 * How an entry merges that has a meaning of its own: its steps; `conflict`; or undefined when it
 * merges as a whole, or, being a map, entry by entry.
 */
export type EntryRule = (path: readonly string[], entry: EntrySides) => readonly YamlStep[] | "conflict" | undefined;

export interface YamlMergeRules {
  /** How deep the entries of a map at the top stand that merge each as a whole; 1 is that map itself. */
  depthOf(key: string): number;
  readonly rule: EntryRule;
  choose?(path: readonly string[]): Side | undefined;
}

/** Three-way merge of a YAML map by entry. What both sides have alike, or only one changed, is no conflict. */
export function mergeYaml(sides: YamlSides, rules: YamlMergeRules): MergeSteps {
  const steps: YamlStep[] = [];
  const conflicts: (readonly string[])[] = [];
  const visit = (path: readonly string[], entry: EntrySides): void => {
    const ruled = path.length === 0 ? undefined : rules.rule(path, entry);
    const merged = ruled ?? (path.length === 0 ? "inside" : mergeEntry(path, entry, rules.depthOf(path[0] ?? "")));
    if (merged === "inside") {
      for (const key of listKeys(entry)) visit([...path, key], entryOf(entry, key));
    } else if (merged !== "conflict") {
      steps.push(...merged);
    } else {
      const side = rules.choose?.(path);
      if (side === undefined) conflicts.push(path);
      else if (side === "theirs") steps.push({ kind: "take", path, value: entry.theirs });
    }
  };
  visit([], sides);
  return { steps, conflicts };
}

/** `inside` for maps of which each entry merges by itself. */
function mergeEntry(
  path: readonly string[],
  { bases, ours, theirs }: EntrySides,
  depth: number,
): readonly YamlStep[] | "inside" | "conflict" {
  if (isDeepStrictEqual(ours, theirs)) return [];
  if (path.length < depth && isMap(ours) && isMap(theirs)) return "inside";
  if (bases.every((base) => isDeepStrictEqual(base, ours))) return [{ kind: "take", path, value: theirs }];
  return bases.every((base) => isDeepStrictEqual(base, theirs)) ? [] : "conflict";
}

/** A map of YAML, which has keys. */
export function isMap(value: YamlValue | undefined): value is YamlMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Items of a list that a side added, and those it removed. */
export function listChange(
  bases: readonly (YamlValue | undefined)[],
  side: readonly YamlValue[],
): { readonly added: readonly YamlValue[]; readonly removed: readonly YamlValue[] } {
  const before = bases.map((base) => (Array.isArray(base) ? (base as readonly YamlValue[]) : []));
  const has = (list: readonly YamlValue[], item: YamlValue) => list.some((other) => isDeepStrictEqual(other, item));
  const [first = [], ...others] = before;
  return {
    added: side.filter((item) => !before.some((list) => has(list, item))),
    removed: first.filter((item) => others.every((list) => has(list, item)) && !has(side, item)),
  };
}

function field(map: YamlMap, key: string): YamlValue | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

function entryOf({ bases, ours, theirs }: EntrySides, key: string): EntrySides {
  const find = (map: YamlValue | undefined) => (isMap(map) ? field(map, key) : undefined);
  return { bases: bases.map(find), ours: find(ours), theirs: find(theirs) };
}

/** In the order of ours, then of theirs. */
function listKeys({ bases, ours, theirs }: EntrySides): string[] {
  return [...new Set([ours, theirs, ...bases].flatMap((map) => (isMap(map) ? Object.keys(map) : [])))];
}
