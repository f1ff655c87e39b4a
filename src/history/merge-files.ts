import { readFileSync } from "node:fs";
import { errnoOf } from "../errors.ts";
import type { ScopePath } from "../secret/address.ts";
import { writeFileAtomic } from "../store/atomic-write.ts";
import { parseSecretsPath } from "../store/layout.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { mergeContent } from "./merge-content.ts";
import { mergeScopeFile, sayConflict } from "./merge-scope-file.ts";
import { readSide, sideNames, UnreadableSide, type Clash, type FileSides } from "./merged-content.ts";
import { findTakenBack, type TakenBack } from "./taken-back.ts";

/** The three files git hands to a merge driver, and the path they are versions of. */
export interface MergeRequest {
  /** Absolute; where git runs the driver, which is the root of our work tree. It may hold nothing of ours. */
  readonly root: string;
  /** Absolute; may be empty or missing, which is a file with nothing in it. */
  readonly base: string;
  /** Absolute; takes the result. */
  readonly ours: string;
  readonly theirs: string;
  /** Path in the repository: it says what the files are. */
  readonly path: string;
}

/** What became of a merge. Only `merged` is one that git may take for done. */
export type MergeOutcome =
  | { readonly kind: "merged" }
  | {
      /** The file holds what merged, and what did not between conflict markers. */
      readonly kind: "conflict";
      readonly conflicts: readonly Clash[];
      /** Generations whose files must be kept by hand. */
      readonly takenBack: readonly TakenBack[];
    }
  | {
      /** Ours is as it was. */
      readonly kind: "unmerged";
      /** Which file is the reason, by line and never by content. */
      readonly why: string;
      /** What to do once the merge is finished. */
      readonly after?: string;
    };

/**
 * Merges a file of ours in place of git, by what it says and without a key, configuration or
 * repository. Throws E_IO when the result cannot be written; ours is then as it was.
 */
export async function mergeFiles(request: MergeRequest): Promise<MergeOutcome> {
  const parsed = parseSecretsPath(request.path);
  try {
    const sides: FileSides = {
      base: readSide(sideNames.base, () => readIfThere(request.base)),
      ours: readSide(sideNames.ours, () => readFileSync(request.ours)),
      theirs: readSide(sideNames.theirs, () => readFileSync(request.theirs)),
    };
    if (parsed?.kind === "scope") return await mergeScope(request, parsed.scope, sides);
    const content = await mergeContent(request.path, sides);
    if (content.kind === "unmerged") return content;
    if (content.text !== undefined) write(request, content.text);
    return content.kind === "merged"
      ? { kind: "merged" }
      : { kind: "conflict", conflicts: content.clashes, takenBack: [] };
  } catch (error) {
    if (error instanceof UnreadableSide) return { kind: "unmerged", why: error.message };
    throw error;
  }
}

async function mergeScope(request: MergeRequest, scope: ScopePath, sides: FileSides): Promise<MergeOutcome> {
  const merged = mergeScopeFile(scope, sides);
  const all = { base: merged.base, theirs: merged.theirs, merged: merged.entries };
  const takenBack = await findTakenBack(openWorkTree(request.root), scope, all);
  write(request, merged.text);
  if (merged.conflicts.length + takenBack.length === 0) return { kind: "merged" };
  const conflicts = merged.conflicts.map((conflict) => ({
    name: conflict.name,
    what: sayConflict(conflict),
    hasMarkers: true,
  }));
  return { kind: "conflict", conflicts, takenBack };
}

function write({ ours }: MergeRequest, text: string): void {
  writeFileAtomic(ours, text, { mode: 0o644 });
}

function readIfThere(file: string): Buffer | undefined {
  try {
    const bytes = readFileSync(file);
    return bytes.length === 0 ? undefined : bytes;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
