import { SealtreeError } from "../errors.ts";

/** A file of another system as a tree, in the order it is written, before anything in it is opened. */
export type SourceNode = SourceLeaf | SourceBranch;

/** How a value is typed where it comes from. */
export type SourceType = "text" | "integer" | "float" | "boolean" | "time" | "binary" | "null";

export interface SourceLeaf {
  readonly kind: "leaf";
  readonly type: SourceType;
  /** As it is written: digits are not turned into a number. Empty for null. */
  readonly text: string;
}

export interface SourceBranch {
  readonly kind: "map" | "list";
  readonly items: readonly SourceItem[];
  /** Comment lines below the last item. */
  readonly trailing: readonly string[];
}

export interface SourceItem {
  /** Empty in a list. */
  readonly key: string;
  readonly value: SourceNode;
  /** Comment lines that belong to the item: the text after the comment sign, as it is. */
  readonly comments: readonly string[];
}

/** How deep a file may be nested. */
export const maxSourceDepth = 64;

/** E_INPUT_INVALID for a file of another system; never with its content. */
export function sourceError(message: string, ...hints: readonly string[]): SealtreeError {
  return new SealtreeError("E_INPUT_INVALID", message, { hints });
}

/** {@link sourceError} at a one-based line of the file. */
export function sourceLineError(message: string, line: number, ...hints: readonly string[]): SealtreeError {
  return new SealtreeError("E_INPUT_INVALID", message, { line, hints });
}

/** The item of a map, or undefined. */
export function findItem(branch: SourceBranch, key: string): SourceNode | undefined {
  return branch.items.find((item) => item.key === key)?.value;
}

/** The text of a leaf that is text, or undefined for anything else. */
export function textOf(node: SourceNode | undefined): string | undefined {
  return node?.kind === "leaf" && node.type === "text" ? node.text : undefined;
}
