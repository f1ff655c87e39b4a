import { SealtreeError } from "../errors.ts";
import type { GitPlace } from "../git/place.ts";
import { git, tryGit } from "../git/run.ts";

const setting = "sealtree.verifiedRoot";

/**
 * The commit that this clone takes as its root of trust: a full id in the clone's own configuration.
 * Settings of the user, of the system, and files that the configuration includes do not count, since
 * the tree may hold such a file. Undefined when there is none. Throws E_NOT_PINNED for anything but
 * a full id.
 */
export async function findPinnedRoot(place: GitPlace): Promise<string | undefined> {
  const args = ["config", "--local", "--no-includes", "--get-all", setting];
  const lines = (await tryGit(place, args, { allowExit: [1] }))?.split("\n").filter((line) => line !== "") ?? [];
  const [root] = lines;
  if (root === undefined) return undefined;
  if (lines.length === 1 && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(root)) return root;
  throw new SealtreeError("E_NOT_PINNED", `${setting} in the clone's configuration is not one full commit id`, {
    hints: ["pin the root again: sealtree verify --pin COMMIT"],
  });
}

/** Makes `commit`, a full id, the root of trust of this clone. */
export async function pinRoot(place: GitPlace, commit: string): Promise<void> {
  await git(place, ["config", "--local", "--replace-all", setting, commit]);
}
