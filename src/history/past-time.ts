import { SealtreeError } from "../errors.ts";
import { findCommitAt, findHead, isRevision } from "../git/revision.ts";
import type { GitPlace } from "../git/place.ts";

const dayText = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const timeText =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})$/i;
const agoText = /^([1-9][0-9]{0,4})([dh])(?: ?ago)?$/;

/**
 * The time that `text` names, in milliseconds since 1970: a day, which begins at midnight UTC, an
 * RFC 3339 time whose seconds may be left out, or `3d` and `12h`, that long before now. Undefined
 * for all else, also for a day that no calendar has.
 */
export function findPastTime(text: string, now: Date): number | undefined {
  const [, amount, unit] = agoText.exec(text) ?? [];
  if (amount !== undefined) return now.getTime() - Number(amount) * (unit === "d" ? 86_400_000 : 3_600_000);
  if (!dayText.test(text) && !timeText.test(text)) return undefined;
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || !day.toISOString().startsWith(text.slice(0, 10))) return undefined;
  const time = dayText.test(text) ? day.getTime() : Date.parse(text.toUpperCase());
  return Number.isNaN(time) ? undefined : time;
}

/**
 * Full id of the commit that was in force on this branch at a time: the newest that is not later,
 * by commit times, along first parents, so that a commit of another branch counts from its merge
 * on. Throws E_VERSION_NOT_FOUND for a time before the first commit and one to come, and E_USAGE
 * when `text` also names a commit.
 */
export async function findCommitInForce(
  place: GitPlace,
  { text, timeMs, now }: { readonly text: string; readonly timeMs: number; readonly now: Date },
): Promise<string> {
  if (await isRevision(place, text)) {
    throw new SealtreeError("E_USAGE", "that is a time and also the name of a commit", {
      hints: ["write the time with a T and a Z, as in 2026-11-01T00:00Z, or the name in full, as in refs/tags/NAME"],
    });
  }
  if (timeMs > now.getTime())
    throw new SealtreeError("E_VERSION_NOT_FOUND", "that time is still to come", { hints: ["name one in the past"] });
  const head = await findHead(place);
  const commit =
    head === undefined ? undefined : await findCommitAt(place, head, Math.max(0, Math.floor(timeMs / 1000)));
  if (commit !== undefined) return commit;
  throw new SealtreeError("E_VERSION_NOT_FOUND", "no commit of this branch is that old", {
    hints: ["git log --first-parent shows when it began; in a shallow clone: git fetch --unshallow"],
  });
}
