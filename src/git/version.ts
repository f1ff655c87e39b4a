import { isSealtreeError } from "../errors.ts";
import type { GitPlace } from "./place.ts";
import { git } from "./run.ts";

/** Oldest git that works: the first with `cat-file --batch-command`. */
export const oldestGit = "2.36.0";

/** Version of the git in PATH, such as `2.43.0`; undefined when there is none. */
export async function findGitVersion(place: GitPlace): Promise<string | undefined> {
  try {
    return /(\d+\.\d+(?:\.\d+)?)/.exec(await git(place, ["version"]))?.[1];
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}

/** True when `version` is `oldest` or newer; both are numbers with dots. */
export function isAtLeast(version: string, oldest: string): boolean {
  const [a, b] = [version, oldest].map((text) => text.split(".").map(Number));
  for (const [index, part] of (b ?? []).entries()) {
    const difference = (a?.[index] ?? 0) - part;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
