import type { GitPlace } from "./place.ts";
import { streamGit } from "./stream-git.ts";

/** Raw changes between NULs, whatever the user's settings are. */
const plain =
  "-z --raw -r --no-abbrev --no-renames --no-relative --no-follow --no-color --no-show-signature --no-mailmap --encoding=UTF-8 --ignore-submodules=none -O/dev/null --root";

/**
 * What `git log --raw -z` prints with more arguments, as it comes; no setting of the user changes
 * it. One git process, which ends when the caller stops reading. Throws E_GIT_FAILED.
 */
export function streamLog(place: GitPlace, args: readonly string[]): AsyncGenerator<Buffer, void, void> {
  return streamGit(place, ["log", ...plain.split(" "), ...args]);
}

/** An object id as `--raw` prints it; undefined for the zeros that stand where there is no object. */
export function idOrNone(text: string): string | undefined {
  return /^0*$/.test(text) ? undefined : text;
}
