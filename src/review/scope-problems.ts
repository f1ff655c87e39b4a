import { isSealtreeError, type SealtreeError } from "../errors.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { parseScopeFile, type ScopeEntry, type ScopeEntries } from "../store/scope-file.ts";

/** What could be read of a scope file, and everything that is wrong in it. */
export interface ScopeReading {
  /** The records on the lines that are in order. */
  readonly entries: ScopeEntries;
  /** In the order of the lines; at most {@link maxProblems}. */
  readonly problems: readonly SealtreeError[];
}

/** Most problems reported of one file; a file this broken is looked at as a whole. */
export const maxProblems = 20;

/**
 * Reads a scope file on after its first mistake: each line that the strict reader refuses is
 * taken as empty, and the rest is read again by the same reader. Throws nothing of ours.
 */
export function readScopeProblems(bytes: Uint8Array, scope: ScopePath): ScopeReading {
  const problems: SealtreeError[] = [];
  let rest = bytes;
  while (problems.length < maxProblems) {
    try {
      return { entries: parseScopeFile(rest, scope), problems };
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      problems.push(error);
      const repaired = error.code === "E_CONFLICT_MARKERS" ? undefined : leaveOut(rest, scope, error.line ?? 0);
      if (repaired === undefined) break;
      rest = repaired;
    }
  }
  return { entries: new Map<SecretName, ScopeEntry>(), problems };
}

/** The file without what stands at `line`; undefined when that changes nothing. */
function leaveOut(bytes: Uint8Array, scope: ScopePath, line: number): Uint8Array | undefined {
  const lines = Buffer.from(bytes).toString("latin1").split("\n");
  const heads = ["$sealtree: 1", `$scope: ${scope}`];
  const index = line - 1;
  if (index < heads.length) {
    lines[index] = heads[index] ?? "";
    // A file too short to have the line at all.
    if (index === lines.length - 1) lines.push("");
  } else if (index === lines.length - 1) lines.push("");
  else takeOut(lines, index);
  const repaired = Buffer.from(lines.join("\n"), "latin1");
  return Buffer.compare(repaired, bytes) === 0 ? undefined : repaired;
}

/** Empties a line and the comments right above it, which have nothing to stand above then. */
function takeOut(lines: string[], index: number): void {
  lines[index] = "";
  for (let above = index - 1; lines[above]?.startsWith("#"); above--) lines[above] = "";
}
