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
}

const settings = ["core.fsmonitor=false", "core.fsync=committed", "core.quotePath=false"];

/** What our own arguments and the user's environment need; callers never pass on foreign arguments. */
const unsafe = {
  allowUnsafeFsMonitor: true,
  allowUnsafeSshCommand: true,
  allowUnsafeAskPass: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeMergeDriver: true,
  allowUnsafeDiffTextConv: true,
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
  let exitCode = 0;
  const { input } = options;
  const env = { ...gitEnvironment(place.env), ...options.env };
  const runner = simpleGit({
    baseDir: place.root,
    trimmed: false,
    config: settings,
    completion: { onClose: true, onExit: false },
    unsafe,
    allowEnvironment: Object.keys(env),
    ...(input === undefined ? {} : { input: () => input }),
    errors(error, result) {
      exitCode = result.exitCode;
      return exitCode === 0 ? error : Buffer.concat([...result.stdErr, Buffer.from("\n")]);
    },
  });
  try {
    return await runner
      .env(env)
      .outputHandler(noPause)
      .raw(["--literal-pathspecs", ...args]);
  } catch (error) {
    if (options.allowExit?.includes(exitCode)) return undefined;
    const said = error instanceof Error ? error.message.split("\n").find((line) => line.trim() !== "") : undefined;
    throw new SealtreeError("E_GIT_FAILED", `git ${args[0] ?? ""} failed: ${said?.trim() ?? "no message"}`, {
      hints: ["sealtree doctor looks for the usual causes"],
      cause: error,
    });
  }
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
