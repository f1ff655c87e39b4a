import { isSealtreeError, SealtreeError } from "../errors.ts";

/** The same failure with its line said in words, such as `line 3 of the input: ...`; any other as it is. */
export function withLine(error: unknown, where: string): unknown {
  if (!isSealtreeError(error) || error.line === undefined || error.file !== undefined) return error;
  const { code, line, hints } = error;
  return new SealtreeError(code, `line ${line} of ${where}: ${error.message}`, { line, hints, cause: error });
}
