import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../errors.ts";
import { writeFileAtomic } from "../store/atomic-write.ts";

/** Commits of which it was found before that they may be trusted, for one root and one way of judging. */
export interface VerifiedSteps {
  has(commit: string): boolean;
  /** Adds commits and writes the file. Throws E_IO. */
  add(commits: readonly string[]): void;
}

/** What a verification went by: what is remembered for one counts for no other. */
export interface VerifiedFor {
  /** Full id of the pinned root. */
  readonly root: string;
  readonly all: boolean;
  readonly strict: boolean;
}

/** Raised whenever commits may come to be judged otherwise, so that an older file counts for nothing. */
const edition = 1;

/**
 * The memory of `verify`: a file in the git folder, which no push, fetch or clone moves, readable by
 * its owner only. Who can write there can also change the program; nobody else can add to it. A file
 * for another root, of another edition, or that is not whole, is as good as none.
 */
export function readVerifiedSteps(gitDirectory: string, { root, all, strict }: VerifiedFor): VerifiedSteps {
  const file = join(gitDirectory, "sealtree", "verified");
  const head = `sealtree verified ${edition} ${root}${all ? " all" : ""}${strict ? " strict" : ""}`;
  const known = readIds(file, head);
  return {
    has: (commit) => known.has(commit),
    add(commits) {
      if (commits.every((commit) => known.has(commit))) return;
      for (const commit of commits) known.add(commit);
      const lines = [head, ...known, `end ${known.size}`];
      writeFileAtomic(file, lines.map((line) => `${line}\n`).join(""), { mode: 0o600, existing: "replace" });
    },
  };
}

function readIds(file: string, head: string): Set<string> {
  const [first, ...ids] = readText(file).split("\n").slice(0, -1);
  const end = ids.pop();
  if (first !== head || end !== `end ${ids.length}`) return new Set();
  return ids.every((id) => /^[0-9a-f]{40,64}$/.test(id)) ? new Set(ids) : new Set();
}

function readText(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch (error) {
    // Also a file of somebody else, or a folder: it is written anew, or not at all.
    if (errnoOf(error) !== undefined) return "";
    throw error;
  }
}
