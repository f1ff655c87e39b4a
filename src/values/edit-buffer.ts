import type { ScopePath, SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import type { Entries } from "./entries.ts";
import { inputError } from "./input-text.ts";
import { readYamlMap, type YamlComment } from "./yaml-map.ts";
import { assertSameEntries, printYamlRecord } from "./yaml-text.ts";

/** Comment lines directly above each secret: the text after `#`, exactly. */
export type Comments = ReadonlyMap<SecretName, readonly string[]>;

/** What an edit buffer holds. */
export interface EditBuffer {
  readonly entries: Map<SecretName, Secret>;
  readonly comments: Map<SecretName, readonly string[]>;
}

/** How a line of the heading begins. */
export const headingPrefix = "#|";

/**
 * A scope as YAML for an editor: a heading of instructions, then each record below its comments
 * with an empty line between. What it returns was parsed again and compared.
 */
export function printEditBuffer(scope: ScopePath, entries: Entries, comments: Comments): string {
  const records = [...entries].map(([name, secret]) => {
    const above = (comments.get(name) ?? []).map((comment) => `#${comment}\n`).join("");
    return `\n${above}${printYamlRecord(name, secret)}`;
  });
  const text = printHeading(scope) + records.join("");
  const reread = parseEditBuffer(text);
  assertSameEntries(reread.entries, entries);
  assertSameComments(reread.comments, comments, entries);
  return text;
}

/**
 * The records and comments of an edited buffer. The heading, the lines that begin with `#|` at
 * the start, is dropped. A comment that is not directly above a record, where a scope file
 * could not keep it, is E_INPUT_INVALID with its line, like every mistake in the YAML.
 */
export function parseEditBuffer(text: string): EditBuffer {
  const { entries, lines, comments } = readYamlMap(text);
  const owners = new Map([...lines].map(([name, line]) => [line, name]));
  const owned = new Map<SecretName, readonly string[]>();
  let block: string[] = [];
  const first = comments.findIndex((comment, index) => !isHeading(comment, index));
  const kept = first === -1 ? [] : comments.slice(first);
  for (const [index, comment] of kept.entries()) {
    if (!comment.ownsLine) {
      throw inputError("the comment does not begin its line", comment.line, "put it on a line above the record");
    }
    block.push(comment.text);
    if (kept[index + 1]?.line === comment.line + 1) continue;
    const owner = owners.get(comment.line + 1);
    if (owner === undefined) {
      throw inputError("the comment is not directly above a record", comment.line, "move it there, or delete it");
    }
    owned.set(owner, block);
    block = [];
  }
  return { entries, comments: owned };
}

function printHeading(scope: ScopePath): string {
  return [
    `${scope}: change, add or delete records, then save and close the editor.`,
    "Comments directly above a record stay with it, and are not secret.",
    "To change nothing, close the editor without saving.",
  ]
    .map((line) => `${headingPrefix} ${line}\n`)
    .join("");
}

function isHeading(comment: YamlComment, index: number): boolean {
  return comment.ownsLine && comment.line === index + 1 && `#${comment.text}`.startsWith(headingPrefix);
}

/** Throws a bug when a printed text does not hold the same comments. */
export function assertSameComments(reread: Comments, comments: Comments, entries: Entries): void {
  for (const name of entries.keys()) {
    const expected = comments.get(name) ?? [];
    const found = reread.get(name) ?? [];
    if (found.length !== expected.length || found.some((comment, index) => comment !== expected[index])) {
      throw new Error("the comments that were printed read back differently");
    }
  }
}
