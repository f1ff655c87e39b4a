import { closeSync, copyFileSync, linkSync, openSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, SealtreeError } from "../errors.ts";
import type { GitDirectories } from "./commit.ts";

/** The user's index, locked: no git command can read HEAD and commit an index that does not fit it. */
export interface HeldIndex {
  /** A copy to change; give it to git as GIT_INDEX_FILE. */
  readonly copy: string;
  /** Puts the copy in the place of the index. */
  publish(): void;
  /** Ends the lock. Leaves nothing behind. */
  release(): void;
}

export interface HoldOptions {
  /** How long to wait for another holder, in milliseconds. */
  readonly timeoutMs: number;
}

const pollMs = 15;
const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Takes the user's index as git itself does, by `index.lock`. HEAD and index must move under it
 * together: a `git commit` that saw the new HEAD and the old index would undo what we commit.
 * The lock is a link to a marker of ours, so that {@link sweepGitLeftovers} can tell it from
 * another program's. A signal that would end the process waits until the release: a lock that
 * stays would stop every git command of the user. Throws E_LOCKED after `timeoutMs`, E_IO.
 */
export async function holdUserIndex(
  { gitDirectory, index }: GitDirectories,
  { timeoutMs }: HoldOptions,
): Promise<HeldIndex> {
  const marker = join(gitDirectory, `sealtree-held-${process.pid}`);
  const copy = join(gitDirectory, `sealtree-copy-${process.pid}`);
  const lock = `${index}.lock`;
  const remove = (...files: string[]) => {
    for (const file of files) rmSync(file, { force: true });
  };
  try {
    closeSync(openSync(marker, "w", 0o600));
    await linkWhenFree(marker, lock, timeoutMs);
  } catch (error) {
    remove(marker);
    throw indexError(index, error);
  }
  const resumeSignals = deferSignals();
  const release = () => {
    remove(lock, marker, copy, `${copy}.lock`);
    resumeSignals();
  };
  try {
    if (statSync(index, { throwIfNoEntry: false }) !== undefined) copyFileSync(index, copy);
  } catch (error) {
    release();
    throw indexError(index, error);
  }
  return {
    copy,
    release,
    publish() {
      try {
        renameSync(copy, index);
      } catch (error) {
        throw indexError(index, error, "the commit is made; run the command again to bring git's index up to date");
      }
    },
  };
}

/** Holds ending signals back; the result lets them through again, and raises the last one that came. */
function deferSignals(): () => void {
  let came: NodeJS.Signals | undefined;
  const note = (signal: NodeJS.Signals) => {
    came = signal;
  };
  for (const signal of endingSignals) process.on(signal, note);
  return () => {
    for (const signal of endingSignals) process.off(signal, note);
    if (came !== undefined) process.kill(process.pid, came);
  };
}

/** Removes what killed writers of ours left in the git folder. Call it under the write lock. */
export function sweepGitLeftovers({ gitDirectory, index }: GitDirectories): void {
  for (const name of readdirSync(gitDirectory)) {
    if (!/^sealtree-(?:held|copy|index|message)-/.test(name)) continue;
    const path = join(gitDirectory, name);
    if (name.startsWith("sealtree-held-") && isSameFile(path, `${index}.lock`)) rmSync(`${index}.lock`);
    rmSync(path, { force: true });
  }
}

async function linkWhenFree(marker: string, lock: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      linkSync(marker, lock);
      return;
    } catch (error) {
      const isTaken = errnoOf(error) === "EEXIST";
      if (!isTaken || Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs * (0.5 + Math.random())));
  }
}

function isSameFile(a: string, b: string): boolean {
  const [one, other] = [a, b].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }));
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
}

function indexError(
  index: string,
  error: unknown,
  hint = "the files are written; run the command again to commit them",
) {
  const code = errnoOf(error) ?? "unknown error";
  if (code !== "EEXIST") {
    return new SealtreeError("E_IO", `${index} cannot be written (${code})`, { hints: [hint], cause: error });
  }
  return new SealtreeError("E_LOCKED", "git's index is locked by another git command", {
    hints: [`wait for it, or remove ${index}.lock when no git command runs`, hint],
    cause: error,
  });
}
