import { accessSync, constants, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import type { Environment } from "../git/place.ts";

/** `f_type` of statfs(2): TMPFS_MAGIC and RAMFS_MAGIC of linux/magic.h. */
const memoryTypes: readonly number[] = [0x01021994, 0x858458f6];

/**
 * A folder that Linux keeps in memory and this user may write to: XDG_RUNTIME_DIR, /dev/shm or
 * the temporary folder. Undefined when there is none, and on other systems.
 */
export function findMemoryFolder(env: Environment): string | undefined {
  const candidates = process.platform === "linux" ? [env["XDG_RUNTIME_DIR"], "/dev/shm", tmpdir()] : [];
  return candidates.find((path): path is string => path !== undefined && isMemory(path));
}

function isMemory(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return memoryTypes.includes(statfsSync(path).type);
  } catch {
    return false;
  }
}
