import type { GitDirectories } from "../git/commit.ts";
import { mergeCommits, type MergeSides } from "../git/merge-commits.ts";
import type { GitPlace } from "../git/place.ts";
import { mergeContent } from "../history/merge-content.ts";
import { mergeScopeFile } from "../history/merge-scope-file.ts";
import { UnreadableSide } from "../history/merged-content.ts";
import { SealtreeError } from "../errors.ts";
import { parseSecretsPath, secretsDirectory } from "../store/layout.ts";

/** The branch that rotations are recorded on for a pull request, and the one that it goes into. */
export interface MergedBranches {
  readonly branch: string;
  readonly tip: string;
  readonly trunk: string;
  readonly trunkTip: string;
}

/**
 * The tip of a branch with everything that the trunk has: itself, the trunk where that has all of
 * it, or a merge of both. Throws E_MERGE_CONFLICT for what only a person can decide.
 */
export async function mergeTrunk(
  place: GitPlace,
  directories: GitDirectories,
  { branch, tip, trunk, trunkTip }: MergedBranches,
): Promise<string> {
  const merged = await mergeCommits(place, directories, {
    ours: tip,
    theirs: trunkTip,
    directory: secretsDirectory,
    message: `secrets: merge ${trunk} into ${branch}\n`,
    mergeFile: mergeOurFile,
  });
  if (merged.kind === "merged") return merged.commit;
  const [first = ""] = merged.paths;
  const more = merged.paths.length === 1 ? "" : ` and ${merged.paths.length - 1} more`;
  throw new SealtreeError("E_MERGE_CONFLICT", `${branch} and ${trunk} both changed ${first}${more}`, {
    hints: [`merge by hand: git switch ${branch} && git merge ${trunk}, sealtree resolve, and git push`],
  });
}

/** A journal is written on the branch alone, and what the trunk has of it came from there. */
async function mergeOurFile(path: string, sides: MergeSides): Promise<{ text: string | undefined } | undefined> {
  const parsed = parseSecretsPath(path);
  if (parsed?.kind === "journal") return { text: sides.ours && Buffer.from(sides.ours).toString("utf8") };
  try {
    if (parsed?.kind === "scope") {
      const { text, conflicts } = mergeScopeFile(parsed.scope, sides);
      return conflicts.length > 0 ? undefined : { text };
    }
    const content = await mergeContent(path, sides);
    return content.kind === "merged" ? { text: content.text } : undefined;
  } catch (error) {
    if (error instanceof UnreadableSide) return undefined;
    throw error;
  }
}
