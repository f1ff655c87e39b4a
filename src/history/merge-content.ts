import type { ReaderList } from "../crypto/generation.ts";
import { printAddress, type ScopePath } from "../secret/address.ts";
import { isMemberName } from "../store/generation-file.ts";
import { accessPolicyPath, membersDirectory, parseSecretsPath, rotationPolicyPath } from "../store/layout.ts";
import { mergeGenerations } from "./merge-generation.ts";
import { mergeMemberFile } from "./merge-member-file.ts";
import { UnreadableSide, type ChooseSide, type FileSides, type MergedContent } from "./merged-content.ts";

/** What a merge may go by besides the three versions. */
export interface MergeHelp {
  readonly choose?: ChooseSide | undefined;
  /** Who may read a scope by the merged policy; undefined where that is not known. */
  readonly readersOf?: ((scope: ScopePath) => ReaderList | undefined) | undefined;
}

/** What a file is, for a merge. */
export type MergedKind = "scope" | "generation" | "member" | "policy" | "journal";

/** How the file at `path` is merged; undefined for one that is not ours to merge. */
export function findMergedKind(path: string): MergedKind | undefined {
  const parsed = parseSecretsPath(path);
  if (parsed !== undefined) return parsed.kind;
  if (path === accessPolicyPath || path === rotationPolicyPath) return "policy";
  const name = path.startsWith(`${membersDirectory}/`) ? /\/([^/]+)\.pub$/.exec(path)?.[1] : undefined;
  return name !== undefined && path === `${membersDirectory}/${name}.pub` && isMemberName(name) ? "member" : undefined;
}

/**
 * Merges the three versions of a file of ours that is no scope file, by what it is. Without a
 * key, and with nothing but what is handed in. A side that cannot be understood, a journal and
 * a file of another kind are unmerged.
 */
export async function mergeContent(path: string, sides: FileSides, help: MergeHelp = {}): Promise<MergedContent> {
  const parsed = parseSecretsPath(path);
  try {
    if (parsed?.kind === "generation") {
      const { scope, generation: id } = parsed;
      return mergeGenerations(sides, { scope, id, wanted: help.readersOf?.(scope), choose: help.choose?.(path) });
    }
    const kind = findMergedKind(path);
    if (kind === "member") return mergeMemberFile(sides);
    if (kind === "policy") {
      const { mergePolicy } = await import("./merge-policy.ts");
      return mergePolicy(path, sides, help.choose);
    }
    return {
      kind: "unmerged",
      why:
        parsed?.kind === "journal"
          ? `the rotation of ${printAddress(parsed)} went on on both sides: its journal is one side's or the other's`
          : "it is no file that sealtree merges",
    };
  } catch (error) {
    if (error instanceof UnreadableSide) return { kind: "unmerged", why: error.message };
    throw error;
  }
}
