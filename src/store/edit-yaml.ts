import { isDeepStrictEqual } from "node:util";
import { isCollection, isMap, isNode, isScalar, isSeq, stringify, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import { parseStrictYaml } from "./strict-yaml.ts";

/** Plain data that an edit writes, always on one line. */
export type YamlValue = string | number | boolean | null | readonly YamlValue[] | { readonly [key: string]: YamlValue };

/** One change of a YAML file. A path leads through keys of maps and, at its end, an index of a list. */
export type YamlEdit =
  /** The entry at `path` becomes `value`; a new one comes last. Of the maps above it only the last may be missing. */
  | { readonly set: readonly string[]; readonly value: YamlValue }
  /** `value` becomes the last item of the list at `path`. */
  | { readonly append: readonly string[]; readonly value: YamlValue }
  /** The entry or item at `path` goes, with the comment on its line. */
  | { readonly remove: readonly (string | number)[] };

/**
 * The text of a YAML file of ours after an edit. Every other byte stays, comments and order
 * too. Where the text is written so oddly that an edit in place would not give what is meant,
 * the file is printed anew from its parsed form. Throws E_POLICY_INVALID.
 */
export function editYaml(text: string, file: string, edit: YamlEdit): string {
  const { document } = parseStrictYaml(Buffer.from(text), file);
  const edited = "remove" in edit ? removeText(text, document, edit.remove) : addText(text, document, edit);
  editDocument(document, edit);
  const meant: unknown = document.toJS();
  return edited !== undefined && isDeepStrictEqual(findData(edited, file), meant)
    ? edited
    : document.toString({ lineWidth: 0 });
}

/** The text after many edits, printed anew from its parsed form: comments and order stay, not every byte. Throws E_POLICY_INVALID. */
export function rewriteYaml(text: string, file: string, edits: readonly YamlEdit[]): string {
  const { document } = parseStrictYaml(Buffer.from(text), file);
  for (const edit of edits) editDocument(document, edit);
  return document.toString({ lineWidth: 0 });
}

function editDocument(document: Document, edit: YamlEdit): void {
  if ("set" in edit) document.setIn(edit.set, document.createNode(edit.value, { flow: true }));
  else if ("append" in edit && !document.hasIn(edit.append)) {
    document.setIn(edit.append, document.createNode([edit.value], { flow: true }));
  } else if ("append" in edit) document.addIn(edit.append, edit.value);
  else document.deleteIn(edit.remove);
}

type Document = ReturnType<typeof parseStrictYaml>["document"];

/** Where the lines of an entry stand in the text, from the first of its key on, its last line break included. */
export interface EntryLines {
  readonly start: number;
  readonly end: number;
  /** What stands before its key. */
  readonly indent: string;
}

/**
 * The lines of the entry at `path`; undefined when there is none, or when it shares a line with
 * another because a map above it is written in braces.
 */
export function findEntryLines(text: string, document: Document, path: readonly string[]): EntryLines | undefined {
  let map: unknown = document.contents;
  let pair: Pair | undefined;
  for (const key of path) {
    if (!isMap(map) || map.flow === true) return undefined;
    pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
    map = pair?.value;
  }
  const [start, end] = [startOf(pair), endOf(pair)];
  if (start === undefined || end === undefined) return undefined;
  const lineStart = text.lastIndexOf("\n", start) + 1;
  const newline = text.indexOf("\n", end);
  const indent = text.slice(lineStart, start);
  if (indent.trim() !== "") return undefined;
  // A value in several lines of text ends behind its last line break.
  const isEnded = end > start && text[end - 1] === "\n";
  return { start: lineStart, end: isEnded ? end : newline < 0 ? text.length : newline + 1, indent };
}

function findData(text: string, file: string): unknown {
  try {
    return parseStrictYaml(Buffer.from(text), file).data;
  } catch {
    return undefined;
  }
}

/** The text with an entry or item added or replaced; undefined when that cannot be done in place. */
function addText(text: string, document: Document, edit: Exclude<YamlEdit, { remove: unknown }>): string | undefined {
  const path = "set" in edit ? edit.set : edit.append;
  const present = document.getIn(path, true);
  if ("append" in edit && isSeq(present)) return addToCollection(text, present, printFlow(edit.value));
  const value = "append" in edit ? [edit.value] : edit.value;
  if (present !== undefined) {
    const [start, end] = (isNode(present) && present.range) || [];
    const isInPlace = isScalar(present) || (isCollection(present) && present.flow === true);
    return isInPlace && start !== undefined && end !== undefined && end > start
      ? text.slice(0, start) + printFlow(value) + text.slice(end)
      : undefined;
  }
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const entry = `${quote(path.at(-1) ?? "")}: ${printFlow(value)}`;
  if (isMap(parent) && parent.items.length + (parent.flow === true ? 1 : 0) > 0) {
    return path.length > 1 || parent.flow === true ? addToCollection(text, parent, entry) : addAtEnd(text, entry);
  }
  return parent === undefined && path.length === 2 ? addAtEnd(text, `${quote(path[0] ?? "")}:\n  ${entry}`) : undefined;
}

function addAtEnd(text: string, lines: string): string {
  return `${text === "" || text.endsWith("\n") ? text : `${text}\n`}\n${lines}\n`;
}

function addToCollection(text: string, collection: YAMLMap | YAMLSeq, written: string): string | undefined {
  const last = collection.items.at(-1);
  const end = last === undefined ? undefined : endOf(last);
  if (collection.flow === true) {
    if (end !== undefined) return `${text.slice(0, end)}, ${written}${text.slice(end)}`;
    const [start = 0, stop = 0] = collection.range ?? [];
    if (text.slice(start + 1, stop - 1).trim() !== "") return undefined;
    return text.slice(0, start) + (isMap(collection) ? `{ ${written} }` : `[${written}]`) + text.slice(stop);
  }
  const start = last === undefined ? undefined : startOf(last);
  if (start === undefined || end === undefined) return undefined;
  const indent = text.slice(text.lastIndexOf("\n", start) + 1, start);
  const newline = text.indexOf("\n", end);
  const [before, after] = newline < 0 ? [`${text}\n`, ""] : [text.slice(0, newline + 1), text.slice(newline + 1)];
  return `${before}${indent}${written}\n${after}`;
}

function removeText(text: string, document: Document, path: readonly (string | number)[]): string | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent) && !isSeq(parent)) return undefined;
  const items: readonly unknown[] = parent.items;
  const index = isSeq(parent)
    ? Number(path.at(-1))
    : parent.items.findIndex(({ key }) => isScalar(key) && key.value === path.at(-1));
  const [start, end] = [startOf(items[index]), endOf(items[index])];
  if (start === undefined || end === undefined) return undefined;
  if (parent.flow !== true) {
    const lineStart = text.lastIndexOf("\n", start) + 1;
    if (!/^[ \t]*(?:- +)?$/.test(text.slice(lineStart, start))) return undefined;
    const newline = text.indexOf("\n", end);
    return text.slice(0, lineStart) + (newline < 0 ? "" : text.slice(newline + 1));
  }
  const next = startOf(items[index + 1]);
  if (next !== undefined) return text.slice(0, start) + text.slice(next);
  return text.slice(0, endOf(items[index - 1]) ?? start) + text.slice(end);
}

/** Where a pair or an item begins. */
function startOf(item: unknown): number | undefined {
  const node = isPairLike(item) ? item.key : item;
  return isNode(node) ? node.range?.[0] : undefined;
}

/** Where the last thing of a pair or an item ends, before a comment that follows it. */
function endOf(item: unknown): number | undefined {
  if (isPairLike(item)) return endOf(item.value) ?? endOf(item.key);
  if (isCollection(item) && item.flow !== true) return endOf(item.items.at(-1));
  return isNode(item) ? item.range?.[1] : undefined;
}

function isPairLike(item: unknown): item is Pair {
  return typeof item === "object" && item !== null && "key" in item && "value" in item;
}

function printFlow(value: YamlValue): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  if (isList(value)) return `[${value.map(printFlow).join(", ")}]`;
  const fields = Object.entries(value).map(([key, field]) => `${quote(key)}: ${printFlow(field)}`);
  return `{ ${fields.join(", ")} }`;
}

function isList(value: YamlValue): value is readonly YamlValue[] {
  return Array.isArray(value);
}

/** As YAML takes it for text: a name such as `on`, `null` or `123` needs quotes. */
function quote(text: string): string {
  return stringify(text, { lineWidth: 0 }).trimEnd();
}
