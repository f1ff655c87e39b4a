import { SealtreeError } from "../errors.ts";
import { fitsFilter } from "../history/commit-filter.ts";
import type { CommitInfo } from "../history/scope-commits.ts";

/** Which commits of a log are shown. */
export interface LogSelection {
  /** How many at most; undefined for all. */
  readonly count: number | undefined;
  fits(commit: CommitInfo): boolean;
  /** Those that fit of a list that begins with the oldest, newest first. */
  newest<T extends CommitInfo>(oldestFirst: readonly T[]): T[];
}

/** The options -n, --member and --reason. Throws E_USAGE. */
export function parseLogSelection(options: Readonly<Record<string, unknown>>): LogSelection {
  const count = parseCount(options["maxCount"]);
  const text = (option: unknown) => (typeof option === "string" ? option : undefined);
  const filter = { member: text(options["member"]), reason: text(options["reason"]) };
  const fits = (commit: CommitInfo) => fitsFilter(commit, filter);
  return { count, fits, newest: (oldestFirst) => oldestFirst.filter(fits).toReversed().slice(0, count) };
}

function parseCount(option: unknown): number | undefined {
  if (typeof option !== "string") return undefined;
  if (/^[1-9][0-9]{0,6}$/.test(option)) return Number(option);
  throw new SealtreeError("E_USAGE", "--max-count needs a whole number from 1 on", { hints: ["such as -n 20"] });
}
