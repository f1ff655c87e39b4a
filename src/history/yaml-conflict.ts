import type { EntryLines } from "../store/edit-yaml.ts";
import type { Side } from "./merged-content.ts";
import { applySteps, endLine, entryAt, insertLines, linesOf, placeAfter, type YamlText } from "./yaml-steps.ts";

/**
 * The text with each entry of `conflicts` between git's conflict markers: as it stands here, and
 * as theirs has it. Where an entry shares its line with others, the marks stand round the
 * nearest map above it that does not, both times merged. Undefined when the whole file is on one line.
 */
export function markConflicts(
  merged: YamlText,
  theirs: YamlText,
  conflicts: readonly (readonly string[])[],
): string | undefined {
  const regions = new Map<string, Region>();
  for (const conflict of conflicts) {
    const found = findRegion(merged, conflict);
    if (found === undefined) return undefined;
    const key = JSON.stringify(found.path);
    const region = regions.get(key) ?? { ...found, inside: [] };
    region.inside.push(conflict);
    regions.set(key, region);
  }
  let { text } = merged;
  for (const { path, place, inside } of [...regions.values()].sort(
    (a, b) => b.place.start - a.place.start || b.place.end - a.place.end,
  )) {
    const other = theirLines({ merged, theirs, path, place, inside });
    if (other === undefined) return undefined;
    const own = text.slice(place.start, place.end);
    text = insertLines(text, place, `<<<<<<< ours\n${endLine(own)}=======\n${endLine(other)}>>>>>>> theirs\n`);
  }
  return text;
}

interface Sides {
  readonly merged: YamlText;
  readonly theirs: YamlText;
}

/** Lines that get markers, and the entries in conflict among them. */
interface Region {
  readonly path: readonly string[];
  readonly place: EntryLines;
  readonly inside: (readonly string[])[];
}

/** The entry itself, the place where it would stand, or the nearest map above it that has lines of its own. */
function findRegion(
  merged: YamlText,
  conflict: readonly string[],
): { readonly path: readonly string[]; readonly place: EntryLines } | undefined {
  for (let length = conflict.length; length > 0; length--) {
    const path = conflict.slice(0, length);
    const place =
      linesOf(merged, path) ?? (entryAt(merged.data, path) === undefined ? placeAfter(merged, path) : undefined);
    if (place !== undefined) return { path, place };
  }
  return undefined;
}

function theirLines({ merged, theirs, path, place, inside }: Region & Sides): string | undefined {
  if (inside.length === 1 && inside[0]?.length === path.length) {
    if (entryAt(theirs.data, path) === undefined) return "";
    const source = linesOf(theirs, path);
    if (source?.indent === place.indent) return theirs.text.slice(source.start, source.end);
  }
  const taken = applySteps(
    merged,
    theirs,
    inside.map((at) => ({ kind: "take", path: at, value: entryAt(theirs.data, at) })),
  );
  const lines = linesOf(taken, path);
  return lines === undefined ? undefined : taken.text.slice(lines.start, lines.end);
}

/** A text in which each conflict between git's markers is settled for one side. */
export function settleMarkers(text: string, side: Side): string {
  let part: "both" | "ours" | "base" | "theirs" = "both";
  return text
    .split(/(?<=\n)/)
    .filter((line) => {
      if (line.startsWith("<<<<<<< ")) part = "ours";
      else if (line.startsWith("||||||| ") && part === "ours") part = "base";
      else if (/^=======\r?\n?$/.test(line) && part !== "both") part = "theirs";
      else if (line.startsWith(">>>>>>> ")) part = "both";
      else return part === "both" || part === side;
      return false;
    })
    .join("");
}
