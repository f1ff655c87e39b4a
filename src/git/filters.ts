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
  const pairs = [...new Set(names)].flatMap((name, index): [string, string][] => [
    [`GIT_CONFIG_KEY_${index}`, name],
    [`GIT_CONFIG_VALUE_${index}`, name.endsWith(".required") ? "false" : ""],
  ]);
  return { ...Object.fromEntries<string>(pairs), GIT_CONFIG_COUNT: `${pairs.length / 2}` };
}
