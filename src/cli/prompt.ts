import { SealtreeError } from "../errors.ts";
import type { Io } from "./io.ts";

/** Asks without showing what is typed. Throws E_ABORTED on ^C, E_NEEDS_TERMINAL without a terminal. */
export async function askHidden(io: Io, question: string): Promise<string> {
  return await ask(io, question, true);
}

/** True for y or yes. Throws as {@link askHidden} does. */
export async function askYesNo(io: Io, question: string): Promise<boolean> {
  return /^y(?:es)?$/i.test((await ask(io, `${question} [y/N] `, false)).trim());
}

async function ask(io: Io, prompt: string, silent: boolean): Promise<string> {
  const { read } = await import("read");
  try {
    // The prompt goes to stderr, so that stdout stays data.
    return await read({
      prompt,
      silent,
      input: io.stdin as NodeJS.ReadStream,
      output: (io.stderr.stream?.() ?? process.stderr) as NodeJS.WriteStream,
      terminal: true,
    });
  } catch (error) {
    throw new SealtreeError("E_ABORTED", "aborted, nothing was changed", { cause: error });
  }
}
