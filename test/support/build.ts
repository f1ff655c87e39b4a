import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The built command, a file to give to Node. */
export const builtBin = `${root}dist/bin.js`;

/**
 * Builds dist once a run. When the bundle does not build there is no built command, so every
 * test that needs it fails, and the others still say what they know.
 */
export async function setup(): Promise<void> {
  // A run that a test starts: what is built is in use.
  if (process.env["TEST_BUILT"] === "1") return;
  try {
    await promisify(execFile)(process.execPath, [`${root}scripts/build.js`, "--no-types"]);
  } catch (error) {
    await rm(builtBin, { force: true });
    const reason = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    process.stderr.write(`the bundle does not build: ${reason}\n`);
  }
}
