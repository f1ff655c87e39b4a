import { simpleGit } from "simple-git";
import { SealtreeError } from "../errors.ts";
import { gitEnvironment, type GitPlace } from "./place.ts";

export interface GitOptions {
  /** Variables for this call, on top of the cleaned environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes besides 0 that are an answer; the result is then undefined. */
  readonly allowExit?: readonly number[];
  /** Standard input. */
  readonly input?: string;
  /** A git that says nothing for so long is ended, in milliseconds; for what goes over a network. */
  readonly silenceMs?: number;
}

/** How a git command ended, and what it said. */
export interface GitOutcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const settings = ["core.fsmonitor=false", "core.fsync=committed", "core.quotePath=false", "log.showSignature=false"];

/** What our own arguments and the user's environment need; callers never pass on foreign arguments. */
const unsafe = {
  allowUnsafeFsMonitor: true,
  allowUnsafeSshCommand: true,
  allowUnsafeAskPass: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeFilter: true,
  allowUnsafeMergeDriver: true,
  allowUnsafeDiffTextConv: true,
  // What GIT_CONFIG_COUNT may set, as the user's files may.
  allowUnsafeAlias: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeDiffExternal: true,
  allowUnsafeEditor: true,
  allowUnsafeGitProxy: true,
  allowUnsafeGpgProgram: true,
  allowUnsafeHooksPath: true,
  allowUnsafeInclude: true,
  allowUnsafePager: true,
  allowUnsafeProtocolOverride: true,
  allowUnsafeSubmodule: true,
  allowUnsafeTemplateDir: true,
  allowUnsafeUrlRewrite: true,
};

/**
 * Runs one git command and gives its standard output as text, or undefined for an exit in
 * `allowExit`. Callers pass paths after `--` and revisions as full object ids. Throws
 * E_GIT_FAILED with the first line git said.
 */
export async function tryGit(
  place: GitPlace,
  args: readonly string[],
  options: GitOptions = {},
): Promise<string | undefined> {
  const { exitCode, stdout, stderr } = await runGit(place, args, options);
  if (exitCode === 0) return stdout;
  if (options.allowExit?.includes(exitCode) === true) return undefined;
  throw gitFailed(args[0] ?? "", stderr);
}

/** {@link tryGit} for a command whose every exit is an answer. Throws E_GIT_FAILED only when it could not run to its end. */
export async function runGit(
  place: GitPlace,
  args: readonly string[],
  options: Omit<GitOptions, "allowExit"> = {},
): Promise<GitOutcome> {
  let exitCode = 0;
  let stderr = "";
  const { input, silenceMs } = options;
  const env = { ...gitEnvironment(place.env), ...options.env };
  const runner = simpleGit({
    baseDir: place.root,
    trimmed: false,
    config: settings,
    completion: { onClose: true, onExit: false },
    unsafe,
    allowEnvironment: Object.keys(env),
    ...(input === undefined ? {} : { input: () => input }),
    ...(silenceMs === undefined ? {} : { timeout: { block: silenceMs } }),
    errors(error, result) {
      exitCode = result.exitCode;
      stderr = Buffer.concat(result.stdErr).toString("utf8");
      // An exit is an answer; what is left is a program that could not start or was ended.
      return exitCode === 0 ? error : undefined;
    },
  });
  try {
    const stdout = await runner
      .env(env)
      .outputHandler(noPause)
      .raw(["--literal-pathspecs", ...args]);
    return { exitCode, stdout, stderr };
  } catch (error) {
    throw gitFailed(args[0] ?? "", error instanceof Error ? error.message : "", error);
  }
}

/** A line without the user and password that the address of a remote may carry. */
export function withoutUserInfo(line: string): string {
  return line.replaceAll(/\/\/[^/\s]*@/g, "//");
}

function gitFailed(command: string, said: string, cause?: unknown): SealtreeError {
  const line = withoutUserInfo(said.split("\n").find((text) => text.trim() !== "") ?? "no message");
  return new SealtreeError("E_GIT_FAILED", `git ${command} failed: ${line.trim()}`, {
    hints: ["sealtree doctor looks for the usual causes"],
    cause,
  });
}

/** {@link tryGit} for a command whose only good exit is 0. */
export async function git(
  place: GitPlace,
  args: readonly string[],
  options: Omit<GitOptions, "allowExit"> = {},
): Promise<string> {
  return (await tryGit(place, args, options)) ?? "";
}

/** simple-git pauses for 50 ms after a command that printed nothing; an empty chunk at the end counts as print. */
function noPause(_command: string, stdout: NodeJS.ReadableStream): void {
  stdout.once("end", () => stdout.emit("data", Buffer.alloc(0)));
}
