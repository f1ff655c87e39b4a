import type { CommitInfo } from "../history/scope-commits.ts";
import type { VersionState } from "../history/versions.ts";
import type { Context } from "./context.ts";
import { relativeTime } from "./present.ts";
import { safeText } from "./safe-text.ts";

/** A commit as cells of a table: id, age, author and reason, each safe to print. */
export function commitCells(context: Context, { commit, author, at, reason }: CommitInfo): string[] {
  const when = relativeTime(Date.parse(at), context.io.now().getTime());
  return [commit.slice(0, 9), when, safeText(author.name), safeText(reason ?? "-")];
}

/** A commit as `--json` prints it. */
export function commitJson({ commit, author, at, reason, subject, note }: CommitInfo) {
  return { commit, author, at, reason: reason ?? null, note: note ?? null, subject };
}

/** Most characters of a note that a table shows. */
const noteWidth = 72;

/** What the writer gave as the reason, as the last cell of a table: quoted, cut and safe to print. */
export function noteCell(context: Context, { note }: CommitInfo): string {
  if (note === undefined) return "";
  const words = Array.from(note);
  const shown = words.length > noteWidth ? `${words.slice(0, noteWidth - 1).join("")}…` : note;
  return context.paint("dim", safeText(`"${shown}"`));
}

/** `value 1a2b3c4d`, or `removed`. */
export function stateText({ valueId }: VersionState): string {
  return valueId === undefined ? "removed" : `value ${valueId.slice(0, 8)}`;
}

/** A value id as `--json` prints it. */
export function stateJson({ valueId, setAt }: VersionState) {
  const event = valueId === undefined ? "removed" : "set";
  return {
    event,
    value_id: valueId ?? null,
    set_at: setAt === undefined ? null : new Date(setAt * 1000).toISOString(),
  };
}
