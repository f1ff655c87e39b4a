import { spawn } from "node:child_process";
import { SealtreeError } from "../errors.ts";
import { gitEnvironment, type GitPlace } from "./place.ts";

/** Raw changes between NULs, whatever the user's settings are. */
const plain =
  "-z --raw -r --no-abbrev --no-renames --no-relative --no-follow --no-color --no-show-signature --no-mailmap --encoding=UTF-8 --ignore-submodules=none -O/dev/null --root";

/**
 * What `git log --raw -z` prints with more arguments, as it comes; no setting of the user changes
 * it. One git process, which ends when the caller stops reading. Throws E_GIT_FAILED.
 */
export async function* streamLog(place: GitPlace, args: readonly string[]): AsyncGenerator<Buffer, void, void> {
  const flags = ["-c", "core.fsmonitor=false", "--literal-pathspecs", "log", ...plain.split(" ")];
  const child = spawn("git", [...flags, ...args], {
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
    throw new SealtreeError("E_GIT_FAILED", `git log failed: ${message.trim()}`, {
      hints: ["sealtree doctor looks for the usual causes"],
      ...(end instanceof Error ? { cause: end } : {}),
    });
  } finally {
    child.kill();
  }
}
