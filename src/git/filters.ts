import { addedSettings, type GitSetting } from "./config-environment.ts";
import type { GitPlace } from "./place.ts";
import { tryGit } from "./run.ts";

/**
 * Variables for a git command that turn off every filter that its settings name. Git runs one to
 * compare a file with its blob, and attributes of the tree say which. Throws E_GIT_FAILED.
 */
export async function withoutFilters(place: GitPlace): Promise<Readonly<Record<string, string>>> {
  const pattern = String.raw`^filter\..*\.(clean|process|required)$`;
  const args = ["config", "--null", "--name-only", "--get-regexp", pattern];
  const names = (await tryGit(place, args, { allowExit: [1] }))?.split("\0").filter(Boolean) ?? [];
  const settings = [...new Set(names)].map((name): GitSetting => [name, name.endsWith(".required") ? "false" : ""]);
  return addedSettings(place.env, settings);
}
