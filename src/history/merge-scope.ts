import { isDrop, readSealedHeader } from "../crypto/sealed-header.ts";
import { isSealtreeError } from "../errors.ts";
import type { SecretName } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import { sameValue } from "../store/changed-secrets.ts";
import type { ScopeEntries, ScopeEntry } from "../store/scope-file.ts";

/** A secret that both sides changed, each in its own way; undefined on the side that removed it. */
export interface MergeConflict {
  readonly name: SecretName;
  readonly ours: ScopeEntry | undefined;
  readonly theirs: ScopeEntry | undefined;
}

export interface MergedScope {
  /** Everything that merged, without the secrets in conflict. */
  readonly entries: ScopeEntries;
  /** Sorted by name. */
  readonly conflicts: readonly MergeConflict[];
}

export interface MergeBase {
  readonly entries: ScopeEntries;
  /** Secrets of which it is not known what the base had: both sides must agree on them. */
  readonly disputed: ReadonlySet<string>;
}

/**
 * Merges two versions of a scope secret by secret, without a key. Records with one value id
 * hold one value, so a side that only sealed a value again has not changed it. A change on one
 * side wins over none; two different ones are a conflict. Where both sides hold the value and
 * both sealed it again, a record wins over a drop, and then the smaller generation id is taken: of two generations minted at the
 * same time it is the one that stays current (docs/format.md, Generation), whichever way the
 * merge goes. Both open, since generations are never removed.
 */
export function mergeScopes(base: MergeBase, ours: ScopeEntries, theirs: ScopeEntries): MergedScope {
  const entries = new Map<SecretName, ScopeEntry>();
  const conflicts: MergeConflict[] = [];
  const names = [...new Set([...base.entries.keys(), ...ours.keys(), ...theirs.keys()])].sort(compareText);
  for (const name of names) {
    const sides = { base: base.entries.get(name), ours: ours.get(name), theirs: theirs.get(name) };
    const side = chooseSide(sides, base.disputed.has(name));
    if (side === undefined) {
      conflicts.push({ name, ours: sides.ours, theirs: sides.theirs });
      continue;
    }
    const entry = sides[side];
    if (entry !== undefined) entries.set(name, { ...entry, comments: mergeComments(sides, entry) });
  }
  return { entries, conflicts };
}

interface Sides {
  readonly base: ScopeEntry | undefined;
  readonly ours: ScopeEntry | undefined;
  readonly theirs: ScopeEntry | undefined;
}

function chooseSide({ base, ours, theirs }: Sides, isDisputed: boolean): "ours" | "theirs" | undefined {
  if (sameValue(ours?.record, theirs?.record)) return chooseSeal(base?.record, ours?.record, theirs?.record);
  if (isDisputed) return undefined;
  if (sameValue(base?.record, ours?.record)) return "theirs";
  if (sameValue(base?.record, theirs?.record)) return "ours";
  return undefined;
}

/** Of two with one value: the one that the other side has not touched since, a record, or the smaller generation. */
function chooseSeal(base: string | undefined, ours: string | undefined, theirs: string | undefined): "ours" | "theirs" {
  if (ours === undefined || theirs === undefined || ours === theirs || theirs === base) return "ours";
  if (ours === base) return "theirs";
  if (isDrop(ours) !== isDrop(theirs)) return isDrop(ours) ? "theirs" : "ours";
  return compareText(generationOf(theirs), generationOf(ours)) < 0 ? "theirs" : "ours";
}

/** Ours, unless only theirs changed. */
function mergeComments({ base, ours, theirs }: Sides, taken: ScopeEntry): readonly string[] {
  if (ours === undefined || theirs === undefined) return taken.comments;
  const text = (entry: ScopeEntry | undefined) => (entry?.comments ?? []).join("\n");
  return text(ours) === text(base) ? theirs.comments : ours.comments;
}

function generationOf(record: string): string {
  try {
    return readSealedHeader(record).generation ?? "";
  } catch (error) {
    if (isSealtreeError(error)) return "";
    throw error;
  }
}
