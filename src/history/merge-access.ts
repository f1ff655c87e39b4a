import { isDeepStrictEqual } from "node:util";
import { findEntryProblems } from "../access/policy-findings.ts";
import { accessSchema } from "../access/policy-schema.ts";
import { toPolicy } from "../access/policy.ts";
import { isSealtreeError } from "../errors.ts";
import { parseStrictYaml } from "../store/strict-yaml.ts";
import type { YamlValue } from "../store/edit-yaml.ts";
import { isMap, listChange, type EntryRule, type EntrySides, type YamlSides, type YamlStep } from "./merge-yaml.ts";
import type { YamlText } from "./yaml-steps.ts";

/**
 * What in `policies/access.yaml` merges by its meaning: the version, which is for
 * {@link mergeVersion}; the lists of what was removed, which only grow; recovery names; and the
 * grants of a role, of which each stands for itself.
 */
export const accessRule: EntryRule = (path, entry) => {
  const [top = "", , ...deep] = path;
  if (top === "version") return [];
  const isRemovals = top === "removed" || top === "removed_keys";
  if (path.length === 1 && top === "recovery") return mergeNames(path, entry);
  if (path.length === 1) return isRemovals ? mergeList(path, entry) : undefined;
  if (deep.length > 0) return undefined;
  if (isRemovals) return mergeRemovals(path, entry);
  return top === "roles" ? mergeRole(path, entry) : undefined;
};

/**
 * The version of the merge: that of the side that raised it; one more than both where both did
 * and say different things, as a change of each.
 */
export function mergeVersion({ bases, ours, theirs }: YamlSides): YamlStep[] {
  const [mine, yours] = [ours["version"], theirs["version"]];
  if (typeof mine !== "number" || typeof yours !== "number") return [];
  const isRaised = (version: number) => bases.every((base) => base["version"] !== version);
  const isSame = isDeepStrictEqual({ ...ours, version: 0 }, { ...theirs, version: 0 });
  const raised = [mine, yours].filter(isRaised);
  const merged = Math.max(...(raised.length === 1 ? raised : [mine, yours])) + (raised.length === 2 && !isSame ? 1 : 0);
  return merged === mine ? [] : [{ kind: "edit", edits: [{ set: ["version"], value: merged }] }];
}

/** What is wrong in a policy whatever the key files hold; empty for one that does not follow its schema. */
export function findAccessProblems({ file, text }: YamlText): string[] {
  try {
    const document = parseStrictYaml(Buffer.from(text), file);
    const checked = accessSchema.safeParse(document.data);
    if (!checked.success) return [];
    const files = new Map<string, never>();
    const policy = toPolicy(checked.data, files);
    return findEntryProblems({ data: checked.data, document, policy, files }).map(({ message }) => message);
  } catch (error) {
    if (isSealtreeError(error)) return [];
    throw error;
  }
}

/** A name that a side removed is gone, one that a side added is there. */
function mergeNames(path: readonly string[], { bases, ours, theirs }: EntrySides): YamlStep[] | undefined {
  if (!isList(ours) || !isList(theirs)) return undefined;
  const { added, removed } = listChange(bases, theirs);
  const isThere = (item: YamlValue) => ours.some((other) => isDeepStrictEqual(other, item));
  const gone = [...ours.keys()].filter((index) => removed.some((item) => isDeepStrictEqual(item, ours[index])));
  const edits = [
    ...added.filter((item) => !isThere(item)).map((value) => ({ append: path, value })),
    ...gone.toReversed().map((index) => ({ remove: [...path, index] })),
  ];
  return edits.length === 0 ? [] : [{ kind: "edit", edits }];
}

/** A list that a side has not is one from which nothing was taken. */
function mergeList(path: readonly string[], { bases, ours, theirs }: EntrySides): YamlStep[] | undefined {
  if (ours !== undefined && theirs !== undefined) return undefined;
  const known = Object.assign({}, ...[...bases, theirs].filter(isMap)) as Readonly<Record<string, YamlValue>>;
  const missing = Object.entries(known).filter(([key]) => !isMap(ours) || !Object.hasOwn(ours, key));
  return missing.map(([key, value]) => ({ kind: "take", path: [...path, key], value }));
}

/** Nothing leaves the list. What was removed on both sides was removed when it first was. */
function mergeRemovals(
  path: readonly string[],
  { bases, ours, theirs }: EntrySides,
): YamlStep[] | "conflict" | undefined {
  if (ours === undefined || theirs === undefined) {
    const value = ours ?? theirs ?? bases.find((base) => base !== undefined);
    return ours === undefined && value !== undefined ? [{ kind: "take", path, value }] : [];
  }
  const isChanged = (side: YamlValue) => bases.some((base) => !isDeepStrictEqual(base, side));
  if (isDeepStrictEqual(ours, theirs) || !isChanged(ours) || !isChanged(theirs)) return undefined;
  if (!isMap(ours) || !isMap(theirs)) return "conflict";
  const { version: mine, at: here, ...own } = ours;
  const { version: yours, at: there, ...other } = theirs;
  if (!isDeepStrictEqual(own, other)) return "conflict";
  if (typeof mine !== "number" || typeof yours !== "number" || typeof here !== "string" || typeof there !== "string")
    return "conflict";
  const isTheirs = yours < mine || (yours === mine && there < here);
  return isTheirs ? [{ kind: "take", path, value: theirs }] : [];
}

/** Grants that were added or taken away on either side; one that both rewrote is a conflict of the role. */
function mergeRole(path: readonly string[], { bases, ours, theirs }: EntrySides): YamlStep[] | "conflict" | undefined {
  const isChanged = (side: YamlValue | undefined) => bases.some((base) => !isDeepStrictEqual(base, side));
  if (!isChanged(ours) || !isChanged(theirs) || isDeepStrictEqual(ours, theirs)) return undefined;
  const [base] = bases;
  if (bases.length !== 1 || !isMap(base) || !isMap(ours) || !isMap(theirs)) return "conflict";
  const lists = [base, ours, theirs].map((role) => role["grants"] ?? []);
  const [before, mine, yours] = lists;
  if (!isList(before) || !isList(mine) || !isList(yours)) return "conflict";
  const [own, other] = [listChange([before], mine), listChange([before], yours)];
  const isRewritten = own.removed.some((item) => other.removed.some((same) => isDeepStrictEqual(same, item)));
  if (isRewritten && own.added.length + other.added.length > 0) return "conflict";
  const fields = (role: YamlValue | undefined) => (isMap(role) ? { ...role, grants: [] } : role);
  const isOwn = !isDeepStrictEqual(fields(ours), fields(base));
  const isOther = !isDeepStrictEqual(fields(theirs), fields(base));
  if (isOwn && isOther && !isDeepStrictEqual(fields(ours), fields(theirs))) return "conflict";
  const grants = mergeNames([...path, "grants"], { bases: [before], ours: mine, theirs: yours }) ?? [];
  if (!isOther || isOwn) return grants;
  const { grants: _theirs, ...rest } = theirs;
  const changed = [...new Set([...Object.keys(rest), ...Object.keys(ours)])].filter(
    (key) => key !== "grants" && !isDeepStrictEqual(rest[key], ours[key]),
  );
  return [...changed.map((key): YamlStep => ({ kind: "take", path: [...path, key], value: rest[key] })), ...grants];
}

function isList(value: YamlValue | undefined): value is readonly YamlValue[] {
  return Array.isArray(value);
}
