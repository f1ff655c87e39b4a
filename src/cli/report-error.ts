import { exitCodes, isSealtreeError, type SealtreeError } from "../errors.ts";
import type { Io } from "./io.ts";
import { painter } from "./present.ts";
import { safeText } from "./safe-text.ts";

/**
 * Says on stderr what went wrong and what to type next, and gives the exit status. Of a bug
 * it shows where it happened, not its message: that could hold a value.
 */
export function reportError(error: unknown, io: Io, options: { readonly json: boolean }): number {
  if (!isSealtreeError(error)) return reportBug(error, io, options);
  if (options.json) io.stderr.write(`${JSON.stringify({ ok: false, error: describe(error) })}\n`);
  else {
    const paint = painter(io.stderr, io.env);
    io.stderr.write(`${paint("red", "sealtree: error:")} ${safeText(error.message)}\n`);
    for (const hint of error.hints) io.stderr.write(`${paint("cyan", "sealtree: hint:")} ${safeText(hint)}\n`);
  }
  return error.exitCode;
}

function describe(error: SealtreeError) {
  const { code, message, hints, exitCode, file, line } = error;
  return {
    code,
    message,
    hints,
    exit: exitCode,
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  };
}

function reportBug(error: unknown, io: Io, options: { readonly json: boolean }): number {
  const name = error instanceof Error ? error.name : typeof error;
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  if (options.json) {
    io.stderr.write(
      `${JSON.stringify({ ok: false, error: { code: "BUG", message: `a bug in sealtree (${name})`, hints: [], exit: exitCodes.bug } })}\n`,
    );
  } else {
    io.stderr.write(`sealtree: error: this is a bug in sealtree (${name}); your files are as they were, or whole\n`);
    io.stderr.write(`sealtree: hint: report it with the lines below, which hold no value\n${frames.join("\n")}\n`);
  }
  return exitCodes.bug;
}
