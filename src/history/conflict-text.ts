import type { ScopePath, SecretName } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import { printScopeFile, type ScopeEntry } from "../store/scope-file.ts";
import type { MergeConflict, MergedScope } from "./merge-scope.ts";

/**
 * The text of a merged scope file. A secret in conflict stands where it belongs with both of
 * its records between git's conflict markers; a side that removed it is empty. Without
 * conflicts it is the file as it is always written. Throws what printScopeFile throws.
 */
export function printMergedScope(scope: ScopePath, { entries, conflicts }: MergedScope): string {
  const all = new Map<SecretName, ScopeEntry>(entries);
  for (const { name, ours, theirs } of conflicts) {
    const entry = ours ?? theirs;
    if (entry !== undefined) all.set(name, entry);
  }
  const blocks = toBlocks(printScopeFile(scope, all));
  const names = [...all.keys()].sort(compareText);
  for (const conflict of conflicts) blocks[names.indexOf(conflict.name) + 1] = printConflict(scope, conflict);
  return `${blocks.join("\n\n")}\n`;
}

/**
 * A scope file without the records that stand between conflict markers, and their names. Git
 * hands such a file in as the base when the bases of a merge conflict among themselves.
 */
export function splitConflicts(text: string): { readonly text: string; readonly disputed: ReadonlySet<string> } {
  const disputed = new Set<string>();
  const kept: string[] = [];
  let isInside = false;
  for (const line of text.split("\n")) {
    if (line.startsWith("<<<<<<< ")) isInside = true;
    else if (line.startsWith(">>>>>>> ")) isInside = false;
    else if (!isInside) kept.push(line);
    else {
      const name = /^"?([A-Za-z_][A-Za-z0-9_.-]*)"?: /.exec(line)?.[1];
      if (name !== undefined) disputed.add(name);
    }
  }
  return { text: kept.join("\n"), disputed };
}

/**
 * The two files that a file with git's conflict markers stands for, one with each side of every
 * conflict; undefined for one without markers, or with markers that do not fit together.
 */
export function readConflictSides(text: string): { readonly ours: string; readonly theirs: string } | undefined {
  const [ours, theirs]: [string[], string[]] = [[], []];
  let at: ConflictPart = "outside";
  let hasMarkers = false;
  for (const line of text.split("\n")) {
    const marker = /^([<|=>])\1{6}(?: |$)/.exec(line)?.[1];
    const next: ConflictPart | undefined = marker === undefined ? at : afterMarker[`${at} ${marker}`];
    if (next === undefined) return undefined;
    hasMarkers ||= marker !== undefined;
    at = next;
    if (marker !== undefined) continue;
    if (at === "outside" || at === "ours") ours.push(line);
    if (at === "outside" || at === "theirs") theirs.push(line);
  }
  return hasMarkers && at === "outside" ? { ours: ours.join("\n"), theirs: theirs.join("\n") } : undefined;
}

type ConflictPart = "outside" | "ours" | "base" | "theirs";

/** Where a marker leads, with the base of git's diff3 style and without. */
const afterMarker: Readonly<Record<string, ConflictPart>> = {
  "outside <": "ours",
  "ours |": "base",
  "ours =": "theirs",
  "base =": "theirs",
  "theirs >": "outside",
};

function printConflict(scope: ScopePath, { name, ours, theirs }: MergeConflict): string {
  const side = (entry: ScopeEntry | undefined) => {
    const block = entry === undefined ? undefined : toBlocks(printScopeFile(scope, new Map([[name, entry]])))[1];
    return block === undefined ? "" : `${block}\n`;
  };
  return `<<<<<<< ours\n${side(ours)}=======\n${side(theirs)}>>>>>>> theirs`;
}

/** The head and one block a record: nothing in a block is empty, so an empty line parts them. */
function toBlocks(text: string): string[] {
  return text.replace(/\n$/, "").split("\n\n");
}
