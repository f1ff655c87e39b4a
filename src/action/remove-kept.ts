import { lstatSync, unlinkSync } from "node:fs";
import { isAbsolute } from "node:path";
import type { Environment } from "../git/place.ts";
import { filesState } from "./job.ts";

/** What became of the files with plaintext that the main step left. */
export interface Removal {
  readonly removed: number;
  /** How many are still there. */
  readonly left: number;
}

/**
 * Removes the files with plaintext that the main step left. What is gone already, and what is no
 * regular file any more, is let be.
 */
export function removeKept(env: Environment): Removal {
  let [removed, left] = [0, 0];
  for (const file of parseFiles(env[`STATE_${filesState}`])) {
    try {
      if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) continue;
      unlinkSync(file);
      removed += 1;
    } catch {
      left += 1;
    }
  }
  return { removed, left };
}

function parseFiles(state: string | undefined): string[] {
  if (state === undefined || state === "") return [];
  const files: unknown = JSON.parse(state);
  return Array.isArray(files)
    ? files.filter((file): file is string => typeof file === "string" && isAbsolute(file))
    : [];
}
