import { isDeepStrictEqual } from "node:util";
import { isSealtreeError, SealtreeError } from "../errors.ts";
import {
  editYaml,
  findEntryLines,
  rewriteYaml,
  type EntryLines,
  type YamlEdit,
  type YamlValue,
} from "../store/edit-yaml.ts";
import { parseStrictYaml } from "../store/strict-yaml.ts";
import { isMap, type YamlMap, type YamlStep } from "./merge-yaml.ts";

/** A YAML file of ours as text and data. */
export interface YamlText {
  readonly file: string;
  readonly text: string;
  readonly data: YamlMap;
  readonly document: ReturnType<typeof parseStrictYaml>["document"];
}

/** Most steps that are done one by one, each with a reading of the file; with more it is printed anew. */
const maxSingleSteps = 64;

/** Reads a policy that is a map. Throws E_POLICY_INVALID. */
export function readYamlText(file: string, text: string): YamlText {
  const { data, document } = parseStrictYaml(Buffer.from(text), file);
  const map = data as YamlValue | undefined;
  if (isMap(map)) return { file, text, data: map, document };
  throw new SealtreeError("E_POLICY_INVALID", `${file}:1: the file is not a map`, { file, line: 1 });
}

/**
 * Our text after the steps of a merge. An entry of theirs comes as it is written there, where
 * that says the same here.
 */
export function applySteps(ours: YamlText, theirs: YamlText, steps: readonly YamlStep[]): YamlText {
  const { file } = ours;
  const takes = steps.filter((step) => step.kind === "take");
  const edits = steps.flatMap((step) => (step.kind === "edit" ? step.edits : []));
  const taken = takeLines(ours, theirs, takes);
  if ((taken === undefined ? takes.length : 0) + edits.length > maxSingleSteps) {
    const all = [...(taken === undefined ? takes.map(editOf) : []), ...edits];
    return readYamlText(file, rewriteYaml((taken ?? ours).text, file, all));
  }
  const now =
    taken ??
    takes.reduce(
      (before, take) =>
        takeLines(before, theirs, [take]) ?? readYamlText(file, editYaml(before.text, file, editOf(take))),
      ours,
    );
  return edits.reduce((before, edit) => readYamlText(file, editYaml(before.text, file, edit)), now);
}

type Take = Extract<YamlStep, { kind: "take" }>;

function editOf({ path, value }: Take): YamlEdit {
  return value === undefined ? { remove: path } : { set: path, value };
}

interface Patch {
  readonly place: EntryLines;
  readonly lines: string;
}

/** The text with the lines that theirs has for some entries; undefined when that would not say the same. */
function takeLines(now: YamlText, theirs: YamlText, takes: readonly Take[]): YamlText | undefined {
  if (takes.length === 0) return now;
  const patches = takes.map((take) => patchOf(now, theirs, take));
  if (!patches.every((patch) => patch !== undefined)) return undefined;
  const meant = structuredClone(now.data);
  for (const { path, value } of takes) setEntry(meant, path, value);
  // From the end on, so that places stay; what goes to one place keeps its order.
  const sorted = patches.toReversed().sort((a, b) => b.place.start - a.place.start || b.place.end - a.place.end);
  const text = sorted.reduce((edited, { place, lines }) => insertLines(edited, place, lines), now.text);
  try {
    const edited = readYamlText(now.file, text);
    return isDeepStrictEqual(edited.data, meant) ? edited : undefined;
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}

function patchOf(now: YamlText, theirs: YamlText, { path, value }: Take): Patch | undefined {
  const present = linesOf(now, path);
  if (value === undefined) return present === undefined ? undefined : { place: present, lines: "" };
  const source = linesOf(theirs, path);
  const place = present ?? placeAfter(now, path);
  if (source === undefined || place?.indent !== source.indent) return undefined;
  const above = present === undefined ? commentsAbove(theirs, path, source) : "";
  return { place, lines: above + theirs.text.slice(source.start, source.end) };
}

/** The lines of an entry, where it has lines of its own. */
export function linesOf({ text, document }: YamlText, path: readonly string[]): EntryLines | undefined {
  return findEntryLines(text, document, path);
}

/** An empty place behind the last entry of the map that `path` leads into, which must have one. */
export function placeAfter(now: YamlText, path: readonly string[]): EntryLines | undefined {
  const parent = entryAt(now.data, path.slice(0, -1));
  const last = isMap(parent) ? Object.keys(parent).at(-1) : undefined;
  const lines = last === undefined ? undefined : linesOf(now, [...path.slice(0, -1), last]);
  return lines === undefined ? undefined : { ...lines, start: lines.end };
}

/** What stands at `path`; undefined when nothing does. */
export function entryAt(map: YamlMap, path: readonly string[]): YamlValue | undefined {
  return path.reduce<YamlValue | undefined>(
    (inner, key) => (isMap(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined),
    map,
  );
}

/** The text with other lines in a place; each ends with a line break. */
export function insertLines(text: string, { start, end }: EntryLines, lines: string): string {
  const before = text.slice(0, start);
  return endLine(before) + endLine(lines) + text.slice(end);
}

/** Lines of which the last ends too. */
export function endLine(lines: string): string {
  return lines === "" || lines.endsWith("\n") ? lines : `${lines}\n`;
}

/** Comments that stand right above an entry; those above the first of a map are about the map. */
function commentsAbove(source: YamlText, path: readonly string[], { start, indent }: EntryLines): string {
  let first = start;
  while (first > 0) {
    const line = source.text.lastIndexOf("\n", first - 2) + 1;
    if (!source.text.startsWith(`${indent}#`, line)) break;
    first = line;
  }
  if (first === start) return "";
  const parent = entryAt(source.data, path.slice(0, -1));
  return isMap(parent) && Object.keys(parent)[0] === path.at(-1) ? "" : source.text.slice(first, start);
}

function setEntry(map: object, [key = "", ...rest]: readonly string[], value: YamlValue | undefined): void {
  if (rest.length > 0) {
    if (!Object.hasOwn(map, key)) define(map, key, {});
    const inner: unknown = Object.getOwnPropertyDescriptor(map, key)?.value;
    if (typeof inner === "object" && inner !== null) setEntry(inner, rest, value);
  } else if (value === undefined) Reflect.deleteProperty(map, key);
  else define(map, key, value);
}

/** Also for a key that objects have a meaning for. */
function define(map: object, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
}
