import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Writable } from "node:stream";
import { SealtreeError } from "../errors.ts";
import type { Secret } from "../secret/secret.ts";
import { sentByTerminal, type SignalSource } from "../values/signals.ts";
import { childEnvironment, type Environment } from "./child-environment.ts";
import { OutputCopy } from "./copy-output.ts";
import { createOutputMask } from "./output-mask.ts";

/** Where output goes: a stream, and its file descriptor when a child can write there itself. */
export type OutputStream = Writable & { readonly fd?: number; readonly isTTY?: boolean };

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Where it starts; the current directory without. */
  readonly directory?: string;
  /** Environment the child's is made of ({@link childEnvironment}). */
  readonly environment: Environment;
  /** Values by variable name. */
  readonly secrets: ReadonlyMap<string, Secret>;
  readonly masking: "on" | "off";
  /** What is masked in its output, when not just `secrets`. */
  readonly masked?: readonly Secret[];
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly signals: SignalSource;
  /** `terminal` when Ctrl-C reaches the child by itself, because stdin is a terminal. */
  readonly stdin: "terminal" | "other";
}

const forwarded = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;
const notFoundCode = 127;
const notExecutableCode = 126;
const notExecutableErrors = ["EACCES", "EPERM", "ENOEXEC", "ENOTDIR", "EISDIR", "ELOOP", "ENAMETOOLONG", "EINVAL"];

/**
 * Runs a command without a shell and resolves to its exit status: the child's own, 128 + N when
 * signal N ended it, 127 when it is not found, 126 when it cannot be executed; what to print
 * then is up to the caller.
 *
 * stdin is inherited. stdout and stderr are inherited when they are terminals or masking is off;
 * otherwise they pass through {@link createOutputMask}, no faster than the reader takes them,
 * until they close or, after the child's exit, fall silent. Node's pipes are socket pairs, so a
 * masked child can write to its output but not open `/dev/stdout` by name.
 *
 * Signals are forwarded, also as PID 1, except those a terminal sends to the child itself. As
 * PID 1 it waits for this child only: it does not reap orphans.
 *
 * Throws E_VALUE_UNFIT, and E_VALUE_TOO_LARGE when the system takes no environment of that size.
 */
export async function runChild(options: ChildOptions): Promise<number> {
  const environment = childEnvironment(options.environment, options.secrets);
  let child: ChildProcess | undefined;
  const forward = (signal: NodeJS.Signals) => {
    if (options.stdin === "other" || !sentByTerminal.includes(signal)) child?.kill(signal);
  };
  for (const signal of forwarded) options.signals.on(signal, forward);
  try {
    child = spawn(options.command, options.args, {
      ...(options.directory === undefined ? {} : { cwd: options.directory }),
      env: environment,
      shell: false,
      stdio: ["inherit", outputTarget(options, "stdout"), outputTarget(options, "stderr")],
      windowsHide: true,
    });
    return await waitForChild(child, options);
  } catch (error) {
    return startFailureCode(error);
  } finally {
    for (const signal of forwarded) options.signals.off(signal, forward);
  }
}

function outputTarget(options: ChildOptions, name: "stdout" | "stderr"): number | "pipe" {
  const { fd, isTTY } = options[name];
  return fd !== undefined && (options.masking === "off" || isTTY === true) ? fd : "pipe";
}

async function waitForChild(child: ChildProcess, options: ChildOptions): Promise<number> {
  const exit = exitStatus(child);
  const copies = child.pid === undefined ? [] : copyOutputs(child, options);
  const status = await exit;
  await Promise.all(copies.map((copy) => copy.drain()));
  return status;
}

function copyOutputs(child: ChildProcess, options: ChildOptions): OutputCopy[] {
  const { stdout, stderr } = child;
  if (stdout === null && stderr === null) return [];
  const createMask =
    options.masking === "on" ? createOutputMask(options.masked ?? options.secrets.values()) : undefined;
  return [
    ...(stdout === null ? [] : [new OutputCopy(stdout, options.stdout, createMask?.())]),
    ...(stderr === null ? [] : [new OutputCopy(stderr, options.stderr, createMask?.())]),
  ];
}

function exitStatus(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    child.on("error", (error) => {
      // A signal that cannot be delivered is an error too, and does not end the child.
      if (child.pid === undefined) reject(error);
    });
  });
}

function startFailureCode(error: unknown): number {
  const code = String((error as NodeJS.ErrnoException).code);
  if (code === "ENOENT") return notFoundCode;
  if (notExecutableErrors.includes(code)) return notExecutableCode;
  if (code === "E2BIG") {
    throw new SealtreeError("E_VALUE_TOO_LARGE", "the values are larger than the system lets an environment be", {
      hints: ["on Linux one variable has at most 128 KiB; leave large values out and read them from a file"],
      cause: error,
    });
  }
  throw error;
}
