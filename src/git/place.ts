import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { SealtreeError } from "../errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where git runs, and with whose environment. */
export interface GitPlace {
  /** Absolute path of the work tree's root. */
  readonly root: string;
  readonly env: Environment;
}

/**
 * The nearest directory at or above `from` that holds `.git`; SEALTREE_REPO overrides. A
 * directory with `policies/access.yaml` counts too, so that an exported tree can be read
 * without git. Runs no program. Throws E_NO_REPOSITORY.
 */
export function findPlace(from: string, env: Environment): GitPlace {
  const override = env["SEALTREE_REPO"];
  if (override !== undefined && override !== "") {
    const root = resolve(from, override);
    if (isRoot(root)) return { root, env };
    throw new SealtreeError("E_NO_REPOSITORY", "SEALTREE_REPO does not name a git repository", {
      hints: ["set it to a repository's root, or unset it"],
    });
  }
  for (let directory = resolve(from); ; directory = dirname(directory)) {
    if (isRoot(directory)) return { root: directory, env };
    if (dirname(directory) === directory) break;
  }
  throw new SealtreeError("E_NO_REPOSITORY", "no git repository here or above", {
    hints: ["go to your repository, or make one: git init && sealtree init"],
  });
}

/** True when git itself can work at the place; false for an exported tree. */
export function hasGit(place: GitPlace): boolean {
  return existsSync(join(place.root, ".git"));
}

/**
 * Variables that would point git at another repository, change its programs, or hand it our
 * identities; a process started by a git hook has several of them set. Settings that whoever starts
 * us gives in GIT_CONFIG_COUNT stay, as their files do: git itself hands on those of `-c` in another.
 */
const dropped =
  /^(?:GIT_(?!AUTHOR_|COMMITTER_|SSH|ASKPASS$|CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_[0-9]+|VALUE_[0-9]+)$)|SEALTREE_|SOPS_AGE_|EDITOR$|PAGER$|VISUAL$|PREFIX$)/;

/** The environment git gets: the caller's, without what would mislead it. */
export function gitEnvironment(env: Environment): Record<string, string> {
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !dropped.test(name)) clean[name] = value;
  }
  return {
    ...clean,
    LC_ALL: "C",
    GIT_TERMINAL_PROMPT: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    // An object that a partial clone leaves out comes by a program that the clone's settings name.
    GIT_NO_LAZY_FETCH: "1",
    GIT_OPTIONAL_LOCKS: "0",
  };
}

function isRoot(directory: string): boolean {
  return (
    statSync(join(directory, ".git"), { throwIfNoEntry: false }) !== undefined ||
    existsSync(join(directory, "policies", "access.yaml"))
  );
}
