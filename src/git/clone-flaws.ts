import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, SealtreeError } from "../errors.ts";
import type { GitDirectories } from "./commit.ts";
import type { GitPlace } from "./place.ts";
import { git, tryGit } from "./run.ts";

/** Why a clone does not show the history as it is. */
export type CloneFlaw = "shallow" | "partial" | "grafts" | "replace-refs";

/**
 * What makes git show another history than the commits themselves tell, or only a part of it.
 * Looks at the clone, and at nothing that a remote could have sent. Throws E_GIT_FAILED, E_IO.
 */
export async function findCloneFlaws(place: GitPlace, { commonDirectory }: GitDirectories): Promise<CloneFlaw[]> {
  const [shallow, replaced, promised] = await Promise.all([
    git(place, ["rev-parse", "--is-shallow-repository"]),
    git(place, ["for-each-ref", "--count=1", "--format=%(refname)", "refs/replace/"]),
    tryGit(place, ["config", "--get-regexp", String.raw`^(extensions\.partialclone|remote\..*\.promisor)$`], {
      allowExit: [1],
    }),
  ]);
  const flaws: readonly [CloneFlaw, boolean][] = [
    ["shallow", shallow.trim() !== "false"],
    ["partial", promised !== undefined],
    ["grafts", hasGrafts(join(commonDirectory, "info", "grafts"))],
    ["replace-refs", replaced.trim() !== ""],
  ];
  return flaws.filter(([, isThere]) => isThere).map(([flaw]) => flaw);
}

function hasGrafts(file: string): boolean {
  try {
    return readFileSync(file, "latin1")
      .split("\n")
      .some((line) => line.trim() !== "" && !line.startsWith("#"));
  } catch (error) {
    const code = errnoOf(error) ?? "unknown error";
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw new SealtreeError("E_IO", `${file} cannot be read (${code})`, { cause: error });
  }
}
