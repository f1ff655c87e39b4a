import { readFileSync } from "node:fs";
import { errnoOf, isSealtreeError } from "../errors.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { writeFileAtomic } from "../store/atomic-write.ts";
import { parseSecretsPath } from "../store/layout.ts";
import { parseScopeFile, type ScopeEntries } from "../store/scope-file.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { printMergedScope, splitConflicts } from "./conflict-text.ts";
import { mergeScopes, type MergeBase } from "./merge-scope.ts";
import { findTakenBack, type TakenBack } from "./taken-back.ts";

/** The three files git hands to a merge driver, and the path they are versions of. */
export interface MergeRequest {
  /** Absolute; where git runs the driver, which is the root of our work tree. It may hold nothing of ours. */
  readonly root: string;
  /** Absolute; may be empty or missing, which is a scope without secrets. */
  readonly base: string;
  /** Absolute; takes the result. */
  readonly ours: string;
  readonly theirs: string;
  /** Path in the repository: it says which scope the files are. */
  readonly path: string;
}

/** What became of a merge. Only `merged` is one that git may take for done. */
export type MergeOutcome =
  | { readonly kind: "merged" }
  | {
      /** The file holds what merged, and each of these secrets between conflict markers. */
      readonly kind: "conflict";
      readonly conflicts: readonly { readonly name: SecretName; readonly isRemoval: boolean }[];
      /** Generations whose files must be kept by hand. */
      readonly takenBack: readonly TakenBack[];
    }
  /** Ours is as it was; `why` says which file is the reason, by line and never by content. */
  | { readonly kind: "unmerged"; readonly why: string };

/**
 * Merges a scope file in place of git, by secret and without a key, configuration or repository.
 * Throws E_IO when the result cannot be written; ours is then as it was.
 */
export async function mergeFiles(request: MergeRequest): Promise<MergeOutcome> {
  const parsed = parseSecretsPath(request.path);
  if (parsed?.kind !== "scope") return { kind: "unmerged", why: "it is not a scope file" };
  const { scope } = parsed;
  try {
    const base = readSide("the common ancestor", () => readBase(request.base, scope));
    const ours = readSide("our side", () => parseScopeFile(readFileSync(request.ours), scope));
    const theirs = readSide("their side", () => parseScopeFile(readFileSync(request.theirs), scope));
    return await writeMerged(request, scope, { base, ours, theirs });
  } catch (error) {
    if (error instanceof Unreadable) return { kind: "unmerged", why: error.message };
    throw error;
  }
}

interface Sides {
  readonly base: MergeBase;
  readonly ours: ScopeEntries;
  readonly theirs: ScopeEntries;
}

async function writeMerged(
  request: MergeRequest,
  scope: ScopePath,
  { base, ours, theirs }: Sides,
): Promise<MergeOutcome> {
  const merged = mergeScopes(base, ours, theirs);
  const text = readSide("the merged scope", () => printMergedScope(scope, merged));
  const all = { base: base.entries, theirs, merged: merged.entries };
  const takenBack = await findTakenBack(openWorkTree(request.root), scope, all);
  writeFileAtomic(request.ours, text, { mode: 0o644 });
  if (merged.conflicts.length + takenBack.length === 0) return { kind: "merged" };
  const conflicts = merged.conflicts.map((conflict) => ({
    name: conflict.name,
    isRemoval: conflict.ours === undefined || conflict.theirs === undefined,
  }));
  return { kind: "conflict", conflicts, takenBack };
}

function readBase(file: string, scope: ScopePath): MergeBase {
  const bytes = readIfThere(file);
  if (bytes === undefined || bytes.length === 0) return { entries: new Map(), disputed: new Set() };
  const text = bytes.toString("latin1");
  if (!text.includes("\n<<<<<<< ")) return { entries: parseScopeFile(bytes, scope), disputed: new Set() };
  const split = splitConflicts(text);
  return { entries: parseScopeFile(Buffer.from(split.text, "latin1"), scope), disputed: split.disputed };
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

class Unreadable extends Error {}

function readSide<T>(side: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const errno = errnoOf(error);
    if (!isSealtreeError(error) && errno === undefined) throw error;
    const why = isSealtreeError(error) ? error.message : `cannot be read (${errno ?? ""})`;
    throw new Unreadable(`${side}: ${why}`, { cause: error });
  }
}
