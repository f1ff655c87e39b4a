import { findGitDirectories } from "../git/commit.ts";
import { findOperation } from "../git/in-progress.ts";
import { hasCode } from "../errors.ts";
import { findLastWriter, type Writer } from "../history/last-writer.ts";
import type { FileResolution, OpenConflict } from "../history/resolve-conflicts.ts";
import { isSecretName } from "../secret/address.ts";
import type { Context } from "./context.ts";
import { relativeTime } from "./present.ts";
import { safeText } from "./safe-text.ts";

/** Who set a secret on each side, by `scope/name`. */
export type ConflictWriters = ReadonlyMap<
  string,
  { readonly ours: Writer | undefined; readonly theirs: Writer | undefined }
>;

/** Looks up the authors of the secrets in conflict: in HEAD, and in what comes in where git says what that is. */
export async function findWriters(context: Context, files: readonly FileResolution[]): Promise<ConflictWriters> {
  const place = context.place();
  const conflicts = files.flatMap(({ open }) => open);
  const found = new Map<string, { ours: Writer | undefined; theirs: Writer | undefined }>();
  if (conflicts.length === 0) return found;
  const incoming = findOperation((await findGitDirectories(place)).gitDirectory)?.theirs;
  for (const { scope, name, ours, theirs } of conflicts) {
    if (scope === undefined || !isSecretName(name)) continue;
    const find = async (revision: string | undefined, isThere: boolean) => {
      if (revision === undefined || !isThere) return undefined;
      try {
        return await findLastWriter(place, { scope, name }, revision);
      } catch (error) {
        if (hasCode(error, "E_REVISION_NOT_FOUND")) return undefined;
        throw error;
      }
    };
    const [mine, yours] = [await find("HEAD", ours !== undefined), await find(incoming, theirs !== undefined)];
    found.set(`${scope}/${name}`, { ours: mine, theirs: yours });
  }
  return found;
}

/** A conflict in words: what it is, and of a secret who set it on each side, and when. */
export function describeConflict(context: Context, conflict: OpenConflict, writers: ConflictWriters): string[] {
  const { path, name, scope, what } = conflict;
  const isWhole = name === path;
  const head = isWhole ? `${path}: ${what}` : `${path}: ${name} ${what}`;
  if (scope === undefined) return [safeText(head)];
  const by = writers.get(`${scope}/${name}`);
  const now = context.io.now().getTime();
  const sides = (["ours", "theirs"] as const).map((side) => {
    const value = conflict[side];
    if (value === undefined) return `  ${side.padEnd(6)}  removed`;
    const author = by?.[side];
    return [
      `  ${side.padEnd(6)}  value ${value.valueId.slice(0, 8)}${value.isDrop ? " (a drop)" : ""}`,
      `set ${relativeTime(value.setAt * 1000, now)}`,
      ...(author === undefined ? [] : [`by ${author.name} in ${author.commit.slice(0, 9)}`]),
    ].join("  ");
  });
  return [head, ...sides].map(safeText);
}

export function conflictJson(conflict: OpenConflict, writers: ConflictWriters): Record<string, unknown> {
  const { path, scope, name, what } = conflict;
  const by = writers.get(`${scope ?? ""}/${name}`);
  const side = (which: "ours" | "theirs") => {
    const value = conflict[which];
    if (value === undefined) return null;
    const author = by?.[which];
    return {
      value_id: value.valueId,
      set_at: new Date(value.setAt * 1000).toISOString(),
      by: author?.name ?? null,
      commit: author?.commit ?? null,
    };
  };
  return { path, scope: scope ?? null, name, what, ours: side("ours"), theirs: side("theirs") };
}
