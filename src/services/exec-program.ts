import { spawn, type ChildProcess } from "node:child_process";
import { errnoOf } from "../errors.ts";
import { ProviderFailure, type FailureClass } from "../net/provider-failure.ts";
import type { Secret } from "../secret/secret.ts";
import { decodeUtf8 } from "../secret/utf8.ts";

export interface ExecProgram {
  /** The program and its arguments, which no shell reads. */
  readonly command: readonly string[];
  /** Where it starts; the current directory without. */
  readonly directory: string | undefined;
  /** All variables that it gets. */
  readonly environment: ReadonlyMap<string, Secret>;
  readonly timeoutMs: number;
  /** Whose program it is, for words: a rule's, without. */
  readonly of?: "rule" | "target";
}

/** What each exit code of a program means. */
const exitClasses: Readonly<Record<number, FailureClass>> = {
  10: "rejected",
  11: "auth",
  12: "limit",
  20: "transient",
  30: "unknown",
};

const maxOutputBytes = 1024 * 1024;
const words: Readonly<Record<FailureClass, string>> = {
  rejected: "does not take this value",
  auth: "is not let in, or not allowed",
  limit: "has no room for another",
  transient: "cannot do it now",
  unknown: "does not know whether it was done",
};

/**
 * Runs a program once: `input` goes to its stdin as JSON, its stdout is given back as JSON. Nothing
 * that it prints is shown, and its stderr goes nowhere. When it ends, or its time is over, all
 * processes that it started end with it. Throws ProviderFailure: by its exit code; for no clear end
 * `unknown` when `isChange`, and `transient` when not.
 */
export async function runProgram(
  program: ExecProgram,
  input: unknown,
  step: string,
  isChange: boolean,
): Promise<unknown> {
  const unclear: FailureClass = isChange ? "unknown" : "transient";
  const { of = "rule" } = program;
  const fail = (failureClass: FailureClass, what: string, hint: string = seeDocs[of]) =>
    new ProviderFailure(failureClass, `the program of the ${of} ${what} at the step ${step}`, { hints: [hint] });
  const ended = await runToEnd(program, JSON.stringify(input));
  if ("startError" in ended)
    throw fail("auth", `cannot be started (${ended.startError})`, `look at command in the ${of}`);
  if (ended.isOverdue) throw fail(unclear, `did not end within ${Math.round(program.timeoutMs / 1000)} s`);
  const failureClass = exitClasses[ended.code ?? -1];
  if (failureClass !== undefined) throw fail(failureClass, `says that it ${words[failureClass]}`);
  if (ended.code !== 0) throw fail(unclear, `ended with ${ended.code === null ? "a signal" : `exit ${ended.code}`}`);
  const answer = ended.output === undefined ? undefined : parseJson(decodeUtf8(ended.output));
  if (answer === undefined) throw fail(isChange ? "unknown" : "rejected", "did not print one JSON object");
  return answer;
}

const seeDocs = {
  rule: "its output is not shown, since it may hold a value: run it by hand, as docs/rotators/exec.md says",
  target: "its output is not shown, since it may hold a value: run it by hand, as docs/targets/exec.md says",
} as const;

type Ended =
  | { readonly startError: string }
  | { readonly code: number | null; readonly isOverdue: boolean; readonly output: Uint8Array | undefined };

async function runToEnd({ command, directory, environment, timeoutMs }: ExecProgram, input: string): Promise<Ended> {
  const [file = "", ...args] = command;
  const variables = [...environment].map(([name, value]) => [name, value.revealText() ?? ""]);
  const child = spawn(file, args, {
    ...(directory === undefined ? {} : { cwd: directory }),
    env: Object.fromEntries(variables) as Record<string, string>,
    shell: false,
    // A group of its own, which can be ended as a whole.
    detached: process.platform !== "win32",
    stdio: ["pipe", "pipe", "ignore"],
    windowsHide: true,
  });
  const endWithUs = () => endGroup(child);
  process.once("exit", endWithUs);
  let isOverdue = false;
  const timer = setTimeout(() => {
    isOverdue = true;
    endGroup(child);
  }, timeoutMs);
  try {
    const output = collect(child);
    const ended = await new Promise<Ended>((resolve) => {
      child.once("error", (error) => resolve({ startError: errnoOf(error) ?? "unknown error" }));
      // What it left behind may hold its output open, so that it would never close.
      child.once("exit", () => endGroup(child));
      child.once("close", (code) => resolve({ code, isOverdue, output: output() }));
      // A program may end without reading.
      child.stdin.on("error", () => undefined);
      child.stdin.end(input);
    });
    return ended;
  } finally {
    clearTimeout(timer);
    process.off("exit", endWithUs);
  }
}

/** The bytes that it printed; undefined for more than there may be. */
function collect(child: ChildProcess): () => Uint8Array | undefined {
  const chunks: Uint8Array[] = [];
  let size = 0;
  child.stdout?.on("data", (chunk: Uint8Array) => {
    size += chunk.length;
    if (size <= maxOutputBytes) chunks.push(chunk);
  });
  return () => (size > maxOutputBytes ? undefined : Buffer.concat(chunks));
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if (errnoOf(error) !== "ESRCH" && errnoOf(error) !== "EPERM") throw error;
  }
}

/** The cause of a JSON error quotes the text, so it goes no further. */
function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
