import { spawn } from "node:child_process";
import { SealtreeError } from "../errors.ts";
import { gitEnvironment, type GitPlace } from "./place.ts";

/**
 * What git prints on its standard output, as it comes. A process of its own, which ends when the
 * caller stops reading. The first argument is the command; callers pass paths after `--` and
 * revisions as full object ids. Throws E_GIT_FAILED with the first line git said, and `hint`.
 */
export async function* streamGit(
  place: GitPlace,
  args: readonly [string, ...string[]],
  hint = "sealtree doctor looks for the usual causes",
): AsyncGenerator<Buffer, void, void> {
  const child = spawn("git", ["-c", "core.fsmonitor=false", "--literal-pathspecs", ...args], {
    cwd: place.root,
    env: gitEnvironment(place.env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    if (said.length < 1000) said += chunk.toString("utf8");
  });
  const ended = new Promise<number | Error>((resolve) => {
    child.on("error", resolve);
    child.on("close", (code) => resolve(code ?? 1));
  });
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer;
    const end = await ended;
    if (end === 0) return;
    const message = said.split("\n").find((line) => line.trim() !== "") ?? "no message";
    throw new SealtreeError("E_GIT_FAILED", `git ${args[0]} failed: ${message.trim()}`, {
      hints: [hint],
      ...(end instanceof Error ? { cause: end } : {}),
    });
  } finally {
    child.kill();
  }
}
