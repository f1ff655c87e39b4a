import {
  closeSync,
  fsync,
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
import { promisify } from "node:util";
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
  const temporary = temporaryBeside(path);
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

/** A file to be written, by its absolute path. */
export interface NewFile {
  readonly path: string;
  readonly bytes: Uint8Array | string;
  /** Gives a file that is there the permissions of a new one. */
  readonly resetsMode?: boolean | undefined;
}

/** How many files are made durable at a time: a disk takes as long for several as for one. */
const syncWidth = 16;

/**
 * {@link writeFileAtomic} for files of which none depends on another: all new files are durable
 * beside the old ones before the first takes its place, and each directory is made durable once.
 * They take their places in the order given; a crash of the system may keep any of them, each
 * whole. When this returns all are there for good. Throws E_IO with the file; those that have
 * not taken their places are then as before. `onWritten` is told how many are ready.
 */
export async function writeFilesAtomic(
  files: readonly NewFile[],
  { mode }: Pick<WriteMode, "mode">,
  onWritten: (count: number) => void = () => undefined,
): Promise<void> {
  const drafts = files.map((file) => ({ ...file, temporary: temporaryBeside(file.path) }));
  let landed = 0;
  try {
    for (let start = 0; start < drafts.length; start += syncWidth) {
      await writeDrafts(drafts.slice(start, start + syncWidth), mode);
      onWritten(Math.min(start + syncWidth, drafts.length));
    }
    for (const { path, temporary } of drafts) {
      attempt(path, () => renameSync(temporary, path));
      landed += 1;
    }
    const directories = new Map(drafts.map(({ path }) => [dirname(path), path]));
    for (const [directory, path] of directories) attempt(path, () => syncDirectory(directory));
  } catch (error) {
    for (const { temporary } of drafts.slice(landed)) rmSync(temporary, { force: true });
    throw error;
  }
}

interface Draft extends NewFile {
  readonly temporary: string;
}

async function writeDrafts(drafts: readonly Draft[], mode: number): Promise<void> {
  const open: { readonly path: string; readonly descriptor: number }[] = [];
  try {
    for (const { path, bytes, resetsMode, temporary } of drafts) {
      attempt(path, () => {
        makeDirectories(dirname(path));
        const present = resetsMode === true ? undefined : statSync(path, { throwIfNoEntry: false });
        const descriptor = openSync(temporary, "wx", present?.mode ?? mode);
        open.push({ path, descriptor });
        writeFileSync(descriptor, bytes);
      });
    }
    // All are awaited: a descriptor that is closed while it is being synced may be another file's by then.
    const synced = await Promise.allSettled(open.map(async ({ descriptor }) => await promisify(fsync)(descriptor)));
    for (const [index, outcome] of synced.entries()) {
      if (outcome.status === "rejected") throw writeError(open[index]?.path ?? "", outcome.reason);
    }
  } finally {
    for (const { descriptor } of open) closeSync(descriptor);
  }
}

function attempt(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw writeError(path, error);
  }
}

function temporaryBeside(path: string): string {
  return join(dirname(path), `.sealtree-${randomBytes(8).toString("hex")}.tmp`);
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
  if (first === undefined) return;
  for (let made = directory; ; made = dirname(made)) {
    syncDirectory(dirname(made));
    if (made === first) return;
  }
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
