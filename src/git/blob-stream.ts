import { spawn } from "node:child_process";
import { SealtreeError } from "../errors.ts";
import { gitEnvironment, type GitPlace } from "./place.ts";

/**
 * The bytes of one blob, by full object id, as they come: for one too large to be held. A process
 * of its own; who stops reading ends it. Throws E_GIT_FAILED.
 */
export async function* streamBlob(place: GitPlace, id: string): AsyncGenerator<Buffer, void, void> {
  const child = spawn("git", ["-c", "core.fsmonitor=false", "cat-file", "blob", id], {
    cwd: place.root,
    env: gitEnvironment(place.env),
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = new Promise<number | Error>((resolve) => {
    child.on("error", resolve);
    child.on("close", (code) => resolve(code ?? 1));
  });
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer;
    const end = await ended;
    if (end !== 0) {
      throw new SealtreeError("E_GIT_FAILED", "git cat-file could not read a blob", {
        hints: ["git fsck looks for objects that are missing or broken"],
        ...(end instanceof Error ? { cause: end } : {}),
      });
    }
  } finally {
    child.kill();
  }
}
