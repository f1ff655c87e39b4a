import { SealtreeError } from "../errors.ts";
import type { GitPlace } from "./place.ts";
import { git } from "./run.ts";

/**
 * How many commits lead to `commit`, a full id, and itself. The same in every whole clone, and
 * greater than that of every commit before it, on whatever side of a merge: first parents alone would
 * go back where main is moved to a branch that had merged it. Replace refs and grafts do not count.
 * Throws E_GIT_FAILED in a shallow clone, which cannot know.
 */
export async function commitNumber(place: GitPlace, commit: string): Promise<number> {
  const shallow = await git(place, ["rev-parse", "--is-shallow-repository"]);
  if (shallow.trim() !== "false") {
    throw new SealtreeError("E_GIT_FAILED", "a shallow clone cannot tell how many commits there are", {
      hints: ["fetch the rest: git fetch --unshallow", "in a GitHub workflow: fetch-depth: 0 for actions/checkout"],
    });
  }
  const env = { GIT_NO_REPLACE_OBJECTS: "1", GIT_GRAFT_FILE: "/dev/null" };
  return Number((await git(place, ["rev-list", "--count", commit], { env })).trim());
}
