import { SealtreeError } from "../errors.ts";
import type { Io, Terminal } from "./io.ts";

/** Asks without showing what is typed. Throws E_ABORTED on ^C, E_NEEDS_TERMINAL without a terminal. */
export async function askHidden(io: Io, question: string): Promise<string> {
  return await ask(standard(io), question, true);
}

/** Asks and shows what is typed. Throws as {@link askHidden} does. */
export async function askText(io: Io, question: string): Promise<string> {
  return await ask(standard(io), question, false);
}

/** True for y or yes. Throws as {@link askHidden} does. */
export async function askYesNo(io: Io, question: string): Promise<boolean> {
  return /^y(?:es)?$/i.test((await ask(standard(io), `${question} [y/N] `, false)).trim());
}

/** {@link askHidden} at a terminal that is closed afterwards. */
export async function askHiddenAt(terminal: Terminal, question: string): Promise<string> {
  try {
    return await ask(terminal, question, true);
  } finally {
    terminal.close();
  }
}

async function ask(at: Pick<Terminal, "input" | "output">, prompt: string, silent: boolean): Promise<string> {
  const { read } = await import("read");
  try {
    return await read({
      prompt,
      silent,
      input: at.input as NodeJS.ReadStream,
      output: at.output as NodeJS.WriteStream,
      terminal: true,
    });
  } catch (error) {
    throw new SealtreeError("E_ABORTED", "aborted, nothing was changed", { cause: error });
  } finally {
    // The Enter that ends what is hidden is hidden too.
    if (silent) at.output.write("\n");
  }
}

/** The prompt goes to stderr, so that stdout stays data. */
function standard(io: Io) {
  return { input: io.stdin, output: io.stderr.stream?.() ?? process.stderr };
}
