import type { GitPlace } from "./place.ts";
import { findRemoteName } from "./ref-file.ts";
import { tryGit } from "./run.ts";

/** The address of the remote that the repository belongs to, as git's settings have it; undefined without one. */
export async function findRemoteUrl(place: GitPlace): Promise<string | undefined> {
  const remote = await findRemoteName(place);
  if (remote === undefined) return undefined;
  const url = await tryGit(place, ["config", "--get", `remote.${remote}.url`], { allowExit: [1] });
  return url?.trim();
}

/**
 * The name of the default branch: that of the remote as the clone remembers it, else the present
 * branch, also before its first commit. Undefined for a HEAD on no branch without a remote.
 */
export async function findDefaultBranchName(place: GitPlace): Promise<string | undefined> {
  const ask = async (ref: string) =>
    (await tryGit(place, ["symbolic-ref", "--quiet", ref], { allowExit: [1, 128] }))?.trim();
  const remote = await ask("refs/remotes/origin/HEAD");
  if (remote?.startsWith("refs/remotes/origin/") === true) return remote.slice("refs/remotes/origin/".length);
  const head = await ask("HEAD");
  return head?.startsWith("refs/heads/") === true ? head.slice("refs/heads/".length) : undefined;
}
