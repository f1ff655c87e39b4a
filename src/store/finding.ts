import { SealtreeError } from "../errors.ts";

/** One result of a check: something in the repository that is not as it must be. */
export interface Finding {
  /** Name of the rule, such as `stale-record`. */
  readonly rule: string;
  /** A notice is for the reader alone: it fails nothing, also where warnings count. */
  readonly severity: "error" | "warning" | "notice";
  /** One sentence without a value. */
  readonly message: string;
  readonly file: string;
  /** One-based. */
  readonly line?: number;
  /** One-based, in UTF-16 code units; only with a line. */
  readonly column?: number;
  /** What to type or change. */
  readonly hint?: string;
}

/** The first of several findings in a policy as an error, with the number of the others. */
export function policyError(first: Finding, others: readonly Finding[]): SealtreeError {
  const where = first.line === undefined ? first.file : `${first.file}:${first.line}`;
  const message = first.message.startsWith(where) ? first.message : `${where}: ${first.message}`;
  return new SealtreeError("E_POLICY_INVALID", message, {
    file: first.file,
    ...(first.line === undefined ? {} : { line: first.line }),
    hints: [
      ...(first.hint === undefined ? [] : [first.hint]),
      ...(others.length > 0 ? [`${others.length} more: sealtree check`] : []),
    ],
  });
}
