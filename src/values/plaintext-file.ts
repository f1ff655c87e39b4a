import { lstatSync } from "node:fs";
import { SealtreeError } from "../errors.ts";
import type { Environment } from "../git/place.ts";
import { writeFileAtomic } from "../store/atomic-write.ts";

/**
 * Makes sure that git neither has nor would take `path`, a file with plaintext values. Throws
 * E_PLAINTEXT_TRACKED with the way out; `out` is one more line of it.
 */
export async function checkNotTracked(path: string, env: Environment, out: string): Promise<void> {
  const { findTracking } = await import("../git/tracking.ts");
  const tracking = await findTracking(path, env);
  if (tracking === "tracked") {
    throw new SealtreeError("E_PLAINTEXT_TRACKED", "git tracks the plaintext file, so its values are in the history", {
      hints: [
        "take it out with git rm --cached FILE, ignore it, and change the values at their providers",
        out,
        "or go on all the same: --allow-plaintext",
      ],
    });
  }
  if (tracking === "untracked") {
    throw new SealtreeError(
      "E_PLAINTEXT_TRACKED",
      "the plaintext file is in the repository, where git add would take it",
      {
        hints: ["put its name into .gitignore, or keep it outside", out, "or go on all the same: --allow-plaintext"],
      },
    );
  }
}

/**
 * Writes plaintext for the owner's eyes only (0600), whole or not at all, also over a file
 * that others may read. Throws E_UNSAFE_FILE for anything but a regular file, and E_IO.
 */
export function writePlaintextFile(path: string, text: string): void {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status !== undefined && !status.isFile()) {
    throw new SealtreeError("E_UNSAFE_FILE", "what is there is not a regular file, so it is not written over", {
      hints: ["name another file, or leave -o out and redirect stdout"],
    });
  }
  writeFileAtomic(path, text, { mode: 0o600, existing: "replace" });
}
