import type { GitPlace } from "./place.ts";
import { tryGit } from "./run.ts";

/** True when git's files or environment have a value for `key`, such as `user.name`. */
export async function knowsSetting(place: GitPlace, key: string): Promise<boolean> {
  return isFound(await tryGit(place, ["config", "--get", key], { allowExit: [1] }));
}

/** True when git would send a header of its settings to `url`, as actions/checkout leaves one for the job's token. */
export async function keepsCredentials(place: GitPlace, url: string): Promise<boolean> {
  return isFound(await tryGit(place, ["config", "--get-urlmatch", "http.extraheader", url], { allowExit: [1] }));
}

function isFound(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== "";
}
