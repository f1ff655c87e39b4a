import type { ScopePath, SecretName } from "../secret/address.ts";
import { parseScopeFile, type ScopeEntries, type ScopeEntry } from "../store/scope-file.ts";
import { printMergedScope, splitConflicts } from "./conflict-text.ts";
import { mergeScopes, type MergeBase, type MergeConflict, type MergedScope } from "./merge-scope.ts";
import { readSide, sideNames, type FileSides, type Side } from "./merged-content.ts";

/** A scope file that was merged. */
export interface MergedScopeFile extends MergedScope {
  /** The file, with each secret in conflict between markers. */
  readonly text: string;
  readonly base: ScopeEntries;
  readonly theirs: ScopeEntries;
}

/** What a secret in conflict becomes: an entry, its removal, or nothing yet. */
export type DecideConflict = (conflict: MergeConflict) => Side | { readonly entry: ScopeEntry } | undefined;

/** What is known besides the three versions. */
export interface ScopeMergeHelp {
  readonly decide: DecideConflict;
  /** Secrets that get these entries, whatever the versions have. */
  readonly added: ScopeEntries;
}

/**
 * Merges the three versions of a scope file by secret, without a key; a version that is not
 * there has no secrets. `decide` is asked about each conflict. Throws {@link UnreadableSide}
 * for a version that is not a scope file, and for a merge that would be none.
 */
export function mergeScopeFile(
  scope: ScopePath,
  sides: FileSides,
  help: ScopeMergeHelp = { decide: () => undefined, added: new Map() },
): MergedScopeFile {
  const read = (side: string, bytes: Uint8Array | undefined): ScopeEntries =>
    readSide(side, () => (bytes === undefined ? new Map<SecretName, ScopeEntry>() : parseScopeFile(bytes, scope)));
  const base = readSide(sideNames.base, () => readBase(sides.base, scope));
  const [ours, theirs] = [read(sideNames.ours, sides.ours), read(sideNames.theirs, sides.theirs)];
  const merged = decideConflicts(mergeScopes(base, ours, theirs), help);
  const text = readSide("the merged scope", () => printMergedScope(scope, merged));
  return { ...merged, text, base: base.entries, theirs };
}

function decideConflicts({ entries, conflicts }: MergedScope, { decide, added }: ScopeMergeHelp): MergedScope {
  const all = new Map([...entries, ...added]);
  const left = conflicts.filter((conflict) => {
    if (added.has(conflict.name)) return false;
    const decided = decide(conflict);
    if (decided === undefined) return true;
    const entry = typeof decided === "string" ? conflict[decided] : decided.entry;
    if (entry !== undefined) all.set(conflict.name, entry);
    return false;
  });
  return { entries: all, conflicts: left };
}

/** What of a secret in conflict follows its name in a sentence. */
export function sayConflict({ ours, theirs }: MergeConflict): string {
  return ours === undefined || theirs === undefined
    ? "was removed on one side and set on the other"
    : "was set on both sides";
}

function readBase(bytes: Uint8Array | undefined, scope: ScopePath): MergeBase {
  if (bytes === undefined || bytes.length === 0) return { entries: new Map(), disputed: new Set() };
  const text = Buffer.from(bytes).toString("latin1");
  if (!text.includes("\n<<<<<<< ")) return { entries: parseScopeFile(bytes, scope), disputed: new Set() };
  const split = splitConflicts(text);
  return { entries: parseScopeFile(Buffer.from(split.text, "latin1"), scope), disputed: split.disputed };
}
