import type { GitPlace } from "../git/place.ts";
import { findHead } from "../git/revision.ts";
import { readRepositoryLog, type RepositoryChange } from "../history/repository-log.ts";
import { isShallow } from "../history/scope-commits.ts";
import { printAddress } from "../secret/address.ts";
import type { Context } from "./context.ts";
import { commitCells, commitJson, noteCell } from "./describe-version.ts";
import type { LogSelection } from "./log-selection.ts";
import { table } from "./present.ts";

const defaultCount = 100;
/** Most changes that one line names. */
const maxNames = 6;

/** Prints all commits that changed secrets, newest first, along the history that leads to `at` or to HEAD. */
export async function showRepositoryLog(
  context: Context,
  place: GitPlace,
  { selection, at }: { readonly selection: LogSelection; readonly at: string | undefined },
): Promise<void> {
  const from = at ?? (await findHead(place));
  const limit = selection.count ?? defaultCount;
  const commits: RepositoryChange[] = [];
  let hasMore = false;
  if (from !== undefined) {
    for await (const commit of readRepositoryLog(place, from, (info) => selection.fits(info))) {
      hasMore = commits.length === limit;
      if (hasMore) break;
      commits.push(commit);
    }
  }
  const warnings = (await isShallow(place)) ? ["this clone is shallow: older commits are missing"] : [];
  if (context.options.json) {
    const listed = commits.map(({ scopes, moves, ...commit }) => ({
      ...commitJson(commit),
      scopes,
      moves: moves.map(({ from: before, to }) => ({ from: printAddress(before), to: printAddress(to) })),
    }));
    context.json({ commits: listed, more: hasMore, warnings });
    return;
  }
  const rows = commits.map((commit) => [
    ...commitCells(context, commit),
    sayChanges(commit),
    noteCell(context, commit),
  ]);
  for (const line of table(rows)) context.line(line);
  if (commits.length === 0) context.say("no commit fits");
  if (hasMore && selection.count === undefined) context.say(`older ones are not shown: -n ${limit * 10} shows more`);
  for (const warning of warnings) context.say(`sealtree: warning: ${warning}`);
}

function sayChanges({ scopes, moves }: RepositoryChange): string {
  const moved = new Set(moves.flatMap(({ from, to }) => [`-${printAddress(from)}`, `+${printAddress(to)}`]));
  const words = scopes.flatMap(({ scope, set, removed }) =>
    [...set.map((name) => `+${scope}/${name}`), ...removed.map((name) => `-${scope}/${name}`)].filter(
      (word) => !moved.has(word),
    ),
  );
  const all = [...moves.map(({ from, to }) => `${printAddress(from)} moved to ${printAddress(to)}`), ...words];
  const resealed = scopes.flatMap((each) =>
    each.resealed.length === 0 ? [] : [`${each.resealed.length} sealed again in ${each.scope}`],
  );
  const more = all.length > maxNames ? [`and ${all.length - maxNames} more`] : [];
  return [...all.slice(0, maxNames), ...more, ...resealed].join(" ");
}
