import { isAlias, isCollection, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document } from "yaml";
import { SealtreeError } from "../errors.ts";
import { decodeUtf8 } from "../secret/utf8.ts";

/** A policy file as parsed: plain data, and where each part stands. */
export interface StrictDocument {
  readonly data: unknown;
  /** One-based line of the value at `path`, or of its nearest parent. */
  lineOf(path: readonly PropertyKey[]): number;
  /** The document with its comments and order, for edits that keep them. */
  readonly document: Document;
}

const maxBytes = 1024 * 1024;
const maxDepth = 16;
/** Control characters, and what makes a line read otherwise than it stands: other line ends, direction marks. */
const unfit =
  // oxlint-disable-next-line no-control-regex -- the point is to refuse them
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** No line of a YAML file of ours begins so. */
const conflictMarker = /^(?:<{7}|>{7}|\|{7})(?: |\r?$)/m;

/**
 * Reads a YAML file of ours: one document, UTF-8, unique keys, no anchors, aliases, tags or
 * merge keys, no control characters or direction marks, at most 1 MiB and 16 levels. Throws E_POLICY_INVALID or
 * E_CONFLICT_MARKERS with file and line, never with the content.
 */
export function parseStrictYaml(bytes: Uint8Array, file: string): StrictDocument {
  const lines = new LineCounter();
  const invalid = (offset: number, what: string) => {
    const line = lines.linePos(offset).line || 1;
    return new SealtreeError("E_POLICY_INVALID", `${file}:${line}: ${what}`, { file, line });
  };
  if (bytes.length > maxBytes) throw invalid(0, "the file is larger than 1 MiB");
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new SealtreeError("E_POLICY_INVALID", `${file}: the file is not UTF-8`, { file });
  const hidden = unfit.exec(text);
  if (hidden !== null) {
    const line = text.slice(0, hidden.index).split("\n").length;
    const what = "a control character, or one that turns the direction of text";
    throw new SealtreeError("E_POLICY_INVALID", `${file}:${line}: ${what}`, { file, line });
  }
  const marker = conflictMarker.exec(text);
  if (marker !== null) {
    const line = text.slice(0, marker.index).split("\n").length;
    throw new SealtreeError("E_CONFLICT_MARKERS", `${file}:${line}: the file has conflict markers`, {
      file,
      line,
      hints: ["take a side: sealtree resolve"],
    });
  }
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    merge: false,
    version: "1.2",
    prettyErrors: false,
  });
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined) throw invalid(error.pos[0], describe(error.code));
  visit(document, (_key, node, path) => {
    if (path.length > maxDepth * 2) throw invalid(0, "the file is nested too deeply");
    if (isAlias(node)) throw invalid(node.range?.[0] ?? 0, "aliases are not allowed");
    if ((isScalar(node) || isCollection(node)) && (node.anchor !== undefined || node.tag !== undefined)) {
      throw invalid(node.range?.[0] ?? 0, "anchors and tags are not allowed");
    }
    return undefined;
  });
  return {
    data: document.toJS({ maxAliasCount: 0 }) as unknown,
    document,
    lineOf(path) {
      for (let length = path.length; length >= 0; length--) {
        const start = startOf(document, path.slice(0, length));
        if (start !== undefined) return lines.linePos(start).line;
      }
      return 1;
    },
  };
}

function startOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  let node: unknown = document.contents;
  let start = isCollection(node) || isScalar(node) ? node.range?.[0] : undefined;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (pair === undefined) return undefined;
      start = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      start = isCollection(node) || isScalar(node) ? node.range?.[0] : undefined;
    } else {
      return undefined;
    }
  }
  return start;
}

function describe(code: string): string {
  if (code === "DUPLICATE_KEY") return "a key stands here twice";
  if (code === "MULTIPLE_DOCS") return "only one document is allowed";
  return `not valid YAML (${code.toLowerCase().replaceAll("_", " ")})`;
}
