import type { GitSetting } from "../git/config-environment.ts";
import { knowsSetting } from "../git/known-settings.ts";
import type { GitPlace } from "../git/place.ts";

/** Login of the token that every job has, and the id of that account. */
const jobBot = "github-actions[bot]";
const jobBotId = "41898282";

/**
 * The name and the address with which git commits where its settings have none: those of the bot
 * whose `login` is asked for only then. GIT_AUTHOR_* and GIT_COMMITTER_* go before them, as ever.
 */
export async function botCommitter(place: GitPlace, login: () => Promise<string>): Promise<readonly GitSetting[]> {
  const missing = await Promise.all(["user.name", "user.email"].map(async (key) => !(await knowsSetting(place, key))));
  if (!missing.includes(true)) return [];
  const name = await login();
  const account = name === jobBot ? `${jobBotId}+${jobBot}` : name;
  const settings: readonly GitSetting[] = [
    ["user.name", name],
    ["user.email", `${account}@users.noreply.github.com`],
  ];
  return settings.filter((_, index) => missing[index]);
}

/** The bot that commits where no GitHub App does. */
export async function jobBotLogin(): Promise<string> {
  return jobBot;
}
