import type { GitPlace } from "./place.ts";
import { streamGit } from "./stream-git.ts";

/**
 * The bytes of one blob, by full object id, as they come: for one too large to be held. A process
 * of its own; who stops reading ends it. Throws E_GIT_FAILED.
 */
export function streamBlob(place: GitPlace, id: string): AsyncGenerator<Buffer, void, void> {
  return streamGit(place, ["cat-file", "blob", id], "git fsck looks for objects that are missing or broken");
}
