import { realpathSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { hasCode } from "../errors.ts";
import { findPlace, hasGit, type Environment, type GitPlace } from "./place.ts";
import { tryGit } from "./run.ts";

/** What git would do with a file: it is in no repository, in the index, left out, or there to be added. */
export type Tracking = "outside" | "tracked" | "ignored" | "untracked";

/**
 * How the repository around `path` treats it; the file need not be there. Symbolic links are
 * followed first. Throws E_GIT_FAILED.
 */
export async function findTracking(path: string, env: Environment): Promise<Tracking> {
  const real = realPath(path);
  const place = placeAround(dirname(real), env);
  if (place === undefined) return "outside";
  const inside = relative(place.root, real);
  const tracked = await tryGit(place, ["ls-files", "--error-unmatch", "--", inside], { allowExit: [1] });
  if (tracked !== undefined) return "tracked";
  // It takes no literal pathspecs, and reads the path by its letters anyway.
  const ask = ["--no-literal-pathspecs", "check-ignore", "--quiet", "--", `./${inside}`];
  const ignored = await tryGit(place, ask, { allowExit: [1] });
  return ignored === undefined ? "untracked" : "ignored";
}

function placeAround(directory: string, env: Environment): GitPlace | undefined {
  try {
    const { SEALTREE_REPO: _, ...rest } = env;
    const place = findPlace(directory, rest);
    return hasGit(place) ? place : undefined;
  } catch (error) {
    if (hasCode(error, "E_NO_REPOSITORY")) return undefined;
    throw error;
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    try {
      return join(realpathSync(dirname(path)), basename(path));
    } catch {
      return path;
    }
  }
}
