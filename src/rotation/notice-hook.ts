import { spawn } from "node:child_process";
import { errnoOf, SealtreeError } from "../errors.ts";

/** A command that is handed the notices. It comes from a person or a job, never from a repository. */
export interface NoticeHook {
  readonly command: string;
  readonly args: readonly string[];
  /** Where it starts. */
  readonly directory: string;
  /** Its whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** What it prints, on stdout or stderr. */
  onOutput(chunk: Uint8Array): void;
  /** It is ended after this time. */
  readonly timeoutMs: number;
}

/** How long output is read on after the hook has ended. */
const lingerMs = 2000;

/**
 * Runs a hook without a shell, with `input` on its stdin, until it ends. Throws E_HOOK_FAILED when
 * it cannot be started, ends with anything but 0, or takes too long.
 */
export async function runNoticeHook(hook: NoticeHook, input: string): Promise<void> {
  const child = spawn(hook.command, hook.args, {
    cwd: hook.directory,
    env: hook.environment,
    shell: false,
    windowsHide: true,
    timeout: hook.timeoutMs,
    killSignal: "SIGKILL",
  });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Uint8Array) => hook.onOutput(chunk));
  // A hook that does not read its input is free not to.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  // What the hook leaves behind may hold its outputs open, so that `close` never comes.
  child.once("exit", () =>
    setTimeout(() => [child.stdout, child.stderr].map((stream) => stream.destroy()), lingerMs).unref(),
  );
  const why = await new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(`it cannot be started (${errnoOf(error) ?? "unknown error"})`));
    child.once("close", (code, signal) => resolve(code === 0 ? undefined : sayEnd(code, signal, hook.timeoutMs)));
  });
  if (why === undefined) return;
  throw new SealtreeError("E_HOOK_FAILED", `the command that was given does not work: ${why}`, {
    hints: ["it gets the notices as JSON on stdin, and must end with 0"],
  });
}

function sayEnd(code: number | null, signal: NodeJS.Signals | null, timeoutMs: number): string {
  if (signal === "SIGKILL") return `it was ended, after ${Math.round(timeoutMs / 1000)} s at most`;
  return `it ended with ${signal ?? String(code)}`;
}
