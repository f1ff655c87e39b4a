import { main } from "../cli/main.ts";
import { safeText } from "../cli/safe-text.ts";
import { errorCatalogue, exitCodes, SealtreeError, type ErrorCode } from "../errors.ts";
import { commandIo, keptStream, type Caller } from "./command-io.ts";

/** What a command of sealtree gave. */
export interface CommandResult {
  /** Exit status. */
  readonly code: number;
  readonly stdout: string;
}

interface PrintedError {
  readonly code: string;
  readonly message: string;
  readonly hints: readonly string[];
}

/**
 * Runs a command with its standard output kept and its words put into the log. Throws what the
 * command says went wrong when it gave `--json`; an exit status without an error is a result.
 */
async function callCommand(job: Caller, argv: readonly string[]): Promise<CommandResult> {
  const [out, err] = [keptStream(), keptStream()];
  const code = await main(argv, commandIo(job, out.stream, err.stream));
  const text = err.text();
  const said = code === exitCodes.ok ? { words: text, error: undefined } : splitError(text);
  job.runner.print(safeText(said.words));
  if (said.error !== undefined) {
    const { code: name, message, hints } = said.error;
    if (!isErrorCode(name)) throw new Error(message);
    throw new SealtreeError(name, message, { hints });
  }
  return { code, stdout: out.text() };
}

/** {@link callCommand} for a command that prints JSON. */
export async function callForJson<T>(job: Caller, argv: readonly string[]): Promise<CommandResult & { json: T }> {
  const result = await callCommand(job, [...argv, "--json"]);
  return { ...result, json: JSON.parse(result.stdout) as T };
}

function splitError(text: string): { words: string; error: PrintedError | undefined } {
  const lines = text.split("\n");
  const at = lines.findLastIndex((line) => line.startsWith('{"ok":false,"error":'));
  if (at < 0) return { words: text, error: undefined };
  const { error } = JSON.parse(lines[at] ?? "") as { error: PrintedError };
  return { words: lines.toSpliced(at, 1).join("\n"), error };
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code);
}
