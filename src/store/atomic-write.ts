import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { errnoOf, SealtreeError } from "../errors.ts";
import { temporaryFile } from "./work-tree.ts";

export interface WriteMode {
  /** Permission bits of a new file. */
  readonly mode: number;
  /** Those of a file that is there: its own, unless told otherwise. */
  readonly existing?: "keep" | "replace";
}

/**
 * Replaces `path` with `bytes` so that a crash leaves the old file or the new one, whole:
 * a new file in the same directory, fsync, rename, fsync of the directory. Makes missing
 * directories. Throws E_IO with the old file intact.
 */
export function writeFileAtomic(path: string, bytes: Uint8Array | string, { mode, existing }: WriteMode): void {
  const directory = dirname(path);
  const temporary = join(directory, `.sealtree-${randomBytes(8).toString("hex")}.tmp`);
  try {
    makeDirectories(directory);
    const present = existing === "replace" ? undefined : statSync(path, { throwIfNoEntry: false });
    const descriptor = openSync(temporary, "wx", present?.mode ?? mode);
    try {
      writeFileSync(descriptor, bytes);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
    syncDirectory(directory);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw writeError(path, error);
  }
}

/** Removes `path` durably. Nothing to do when it is not there. Throws E_IO. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
    syncDirectory(dirname(path));
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw writeError(path, error);
  }
}

/** Removes what killed writers left half-written in `directory`. Call it under the write lock. */
export function sweepTemporaryFiles(directory: string): void {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return;
  }
  for (const name of names) if (temporaryFile.test(name)) rmSync(join(directory, name), { force: true });
}

function makeDirectories(directory: string): void {
  const first = mkdirSync(directory, { recursive: true });
  if (first !== undefined) syncDirectory(dirname(first));
}

function syncDirectory(directory: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeError(path: string, error: unknown): SealtreeError {
  return new SealtreeError("E_IO", `${path} cannot be written (${errnoOf(error) ?? "unknown error"})`, {
    hints: ["the old file is intact; check space and permissions, then run the command again"],
    cause: error,
  });
}
