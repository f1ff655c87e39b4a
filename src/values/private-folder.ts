import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errnoOf, SealtreeError } from "../errors.ts";
import type { Environment } from "../git/place.ts";
import { findMemoryFolder } from "../store/memory-folder.ts";
import { endingSignals, type SignalSource } from "./signals.ts";

/** A folder for plaintext that only its owner may enter. */
export interface PrivateFolder {
  readonly path: string;
  /** False where the system has no file system in memory, so that plaintext may reach a disk. */
  readonly isInMemory: boolean;
}

const folderName = /^sealtree-edit-([0-9]+)-/;

/**
 * Makes an empty folder of mode 0700: on Linux in XDG_RUNTIME_DIR, /dev/shm or the temporary
 * folder, whichever is in memory; elsewhere in the temporary folder. Removes first what
 * killed processes left there. Throws E_IO when Linux has no file system in memory.
 */
function createPrivateFolder(env: Environment): PrivateFolder {
  const inMemory = findMemoryFolder(env);
  if (inMemory === undefined && process.platform === "linux") {
    throw new SealtreeError("E_IO", "there is no file system in memory to put plaintext into", {
      hints: ["mount a tmpfs and name it in XDG_RUNTIME_DIR, or use sealtree set"],
    });
  }
  const parent = inMemory ?? tmpdir();
  sweep(parent);
  try {
    return {
      path: mkdtempSync(join(parent, `sealtree-edit-${process.pid}-`)),
      isInMemory: inMemory !== undefined,
    };
  } catch (error) {
    throw new SealtreeError("E_IO", `no folder can be made in ${parent} (${errnoOf(error) ?? "unknown error"})`, {
      cause: error,
    });
  }
}

/**
 * Runs `work` with a new private folder ({@link createPrivateFolder}), and removes the folder
 * when it ends, in whatever way: also by a signal that nobody else listens to, which then
 * ends the process as it would have.
 */
export async function withPrivateFolder<T>(
  env: Environment,
  signals: SignalSource & Pick<NodeJS.Process, "listenerCount">,
  work: (folder: PrivateFolder) => Promise<T>,
): Promise<T> {
  const folder = createPrivateFolder(env);
  const stop = () => {
    for (const signal of endingSignals) signals.off(signal, end);
    rmSync(folder.path, { recursive: true, force: true });
  };
  const end = (signal: NodeJS.Signals) => {
    if (signals.listenerCount(signal) > 1) return;
    stop();
    process.kill(process.pid, signal);
  };
  for (const signal of endingSignals) signals.on(signal, end);
  try {
    return await work(folder);
  } finally {
    stop();
  }
}

function sweep(parent: string): void {
  for (const name of listNames(parent)) {
    const pid = folderName.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // Somebody else's: it is theirs to remove.
    }
  }
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== "ESRCH";
  }
}
