import { readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { errnoOf, SealtreeError } from "../errors.ts";
import type { GitPlace } from "../git/place.ts";
import { git } from "../git/run.ts";
import { writeFileAtomic } from "../store/atomic-write.ts";

/**
 * `outdated`: ours, and it starts another program than this one. `other`: somebody else's, which
 * does not run ours.
 */
export type HookState = "installed" | "outdated" | "missing" | "other";

/** The pre-commit hook that git would run in this clone. */
export interface CommitHook {
  readonly state: HookState;
  /** Absolute. */
  readonly path: string;
}

const mark = "# sealtree: begin pre-commit";

/** Looks where git looks, core.hooksPath included. A hook of somebody else that runs ours counts as installed. */
export async function readCommitHook(place: GitPlace, self: readonly [string, string]): Promise<CommitHook> {
  const folder = (await git(place, ["rev-parse", "--git-path", "hooks"])).replace(/\n$/, "");
  const path = join(resolve(place.root, folder), "pre-commit");
  const text = readIfThere(path);
  if (text === undefined) return { state: "missing", path };
  if (text === printHook(self)) return { state: "installed", path };
  if (text.includes(mark)) return { state: "outdated", path };
  const isChained = text
    .split("\n")
    .some((line) => /^[^#]*sealtree\S* +pre-commit\b/.test(line) || line === chainLine(self));
  return { state: isChained ? "installed" : "other", path };
}

/**
 * Makes git run `sealtree pre-commit` before each commit in this clone. Gives true when it did
 * not before. Throws E_EXISTS with the line to add where another hook stands, which is kept.
 */
export async function installCommitHook(place: GitPlace, self: readonly [string, string]): Promise<boolean> {
  const { state, path } = await readCommitHook(place, self);
  if (state === "installed") return false;
  if (state === "other") {
    // A hook that the repository brings along runs on other machines too.
    const isTracked = !relative(place.root, path).startsWith("..") && !relative(place.root, path).startsWith(".git/");
    throw new SealtreeError("E_EXISTS", `there is a pre-commit hook already: ${path}`, {
      hints: [`add this line to it: ${isTracked ? "sealtree pre-commit || exit 1" : chainLine(self)}`],
    });
  }
  writeFileAtomic(path, printHook(self), { mode: 0o755, existing: "replace" });
  return true;
}

function printHook(self: readonly [string, string]): string {
  const [node, script] = [quote(self[0]), quote(self[1])];
  return [
    "#!/bin/sh",
    mark,
    "# Looks at what is staged; sealtree git-setup --hooks wrote it.",
    `if test -x ${node} && test -f ${script}; then exec ${node} ${script} pre-commit`,
    "elif command -v sealtree >/dev/null 2>&1; then exec sealtree pre-commit",
    'else echo "sealtree: not found, so nobody looked at what is staged" >&2; fi',
    "",
  ].join("\n");
}

function chainLine(self: readonly [string, string]): string {
  return `${self.map(quote).join(" ")} pre-commit || exit 1`;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new SealtreeError("E_IO", `${path} cannot be read (${code ?? "unknown error"})`, { cause: error });
  }
}
