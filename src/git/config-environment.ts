import type { Environment } from "./place.ts";

/** A setting of git: its key, such as `commit.gpgsign`, and its value. */
export type GitSetting = readonly [key: string, value: string];

/**
 * The environment in which git has `settings` besides: after all of its files, and after what `env`
 * sets in the same way (git-config(1), GIT_CONFIG_COUNT). They are on no disk and no command line.
 */
export function withGitSettings(env: Environment, settings: readonly GitSetting[]): Environment {
  return { ...env, ...addedSettings(env, settings) };
}

/** The variables alone that {@link withGitSettings} adds or changes. */
export function addedSettings(env: Environment, settings: readonly GitSetting[]): Readonly<Record<string, string>> {
  const written = env["GIT_CONFIG_COUNT"] ?? "";
  const first = /^[0-9]{1,6}$/.test(written) ? Number(written) : 0;
  const pairs = settings.flatMap(([key, value], index): [string, string][] => [
    [`GIT_CONFIG_KEY_${first + index}`, key],
    [`GIT_CONFIG_VALUE_${first + index}`, value],
  ]);
  return { ...Object.fromEntries(pairs), GIT_CONFIG_COUNT: String(first + settings.length) };
}
