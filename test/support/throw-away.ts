import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders: string[] = [];

/** A new folder that is removed when the test file ends. */
export function makeThrowAway(prefix: string, parent = tmpdir()): string {
  const folder = mkdtempSync(join(parent, prefix));
  folders.push(folder);
  return folder;
}

/** Removes all of them; test/support/env.ts calls it after each file. */
export function removeThrowAways(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}
