import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type Scalar,
} from "yaml";
import {
  maxSourceDepth,
  type SourceBranch,
  type SourceItem,
  type SourceLeaf,
  sourceLineError,
  type SourceNode,
} from "./source-tree.ts";

const binaryTag = "tag:yaml.org,2002:binary";
const timestamp = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ][0-9:.]+(?:[Zz]|[ ]*[+-][0-9:]+)?)?$/;

/**
 * The documents of a YAML text, each a map, as trees with their comments. Scalars are typed as the
 * core schema of YAML 1.2 does, and keep the text they are written as. Throws E_INPUT_INVALID with
 * the line and never the content: for what is not YAML, for aliases and for tags but !!binary.
 */
export function readYamlTrees(text: string): SourceBranch[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    uniqueKeys: true,
    merge: false,
    version: "1.2",
    prettyErrors: false,
    logLevel: "silent",
    intAsBigInt: true,
  });
  const reader = new YamlReader((offset) => Math.max(lines.linePos(offset).line, 1));
  const trees: SourceBranch[] = [];
  for (const document of Array.isArray(documents) ? documents : []) {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) {
      throw reader.fail(`not valid YAML (${problem.code.toLowerCase().replaceAll("_", " ")})`, problem.pos[0]);
    }
    const { contents } = document;
    const tree = contents === null ? emptyMap : reader.node(contents, 0);
    if (tree.kind === "leaf" && tree.type === "null") continue;
    if (tree.kind !== "map") throw reader.fail("the YAML is not a map of names to values", contents?.range?.[0] ?? 0);
    trees.push(withHead(tree, linesOf(document.commentBefore), linesOf(document.comment)));
  }
  return trees;
}

const emptyMap: SourceBranch = { kind: "map", items: [], trailing: [] };

class YamlReader {
  readonly #lineOf: (offset: number) => number;

  constructor(lineOf: (offset: number) => number) {
    this.#lineOf = lineOf;
  }

  node(node: unknown, depth: number): SourceNode {
    if (depth > maxSourceDepth) throw this.fail("the YAML is nested too deeply", 0);
    if (isAlias(node))
      throw this.fail("an alias cannot be imported: write the value in its place", node.range?.[0] ?? 0);
    if (isScalar(node)) return this.#leaf(node);
    if (!isCollection(node)) return { kind: "leaf", type: "null", text: "" };
    this.#checkTag(node, undefined);
    const items = isMap(node)
      ? node.items.map((pair) => this.#entry(pair, depth))
      : node.items.map((item) => this.#element(item, depth));
    const branch: SourceBranch = { kind: isMap(node) ? "map" : "list", items, trailing: linesOf(node.comment) };
    return withHead(branch, linesOf(node.commentBefore), []);
  }

  fail(message: string, offset: number): Error {
    return sourceLineError(message, this.#lineOf(offset));
  }

  #entry(pair: Pair, depth: number): SourceItem {
    const { key, value } = pair;
    if (!isScalar(key)) throw this.fail("a name is not text", 0);
    const text = key.source ?? (typeof key.value === "string" ? key.value : undefined);
    if (text === undefined) throw this.fail("a name is not text", key.range?.[0] ?? 0);
    const name = typeof key.value === "string" ? key.value : text;
    return {
      key: name,
      value: this.node(value, depth + 1),
      comments: [...commentsOf(key), ...(isScalar(value) ? commentsOf(value) : [])],
    };
  }

  #element(item: unknown, depth: number): SourceItem {
    return { key: "", value: this.node(item, depth + 1), comments: isScalar(item) ? commentsOf(item) : [] };
  }

  #leaf(node: Scalar): SourceLeaf {
    this.#checkTag(node, binaryTag);
    if (node.tag === binaryTag) {
      const bytes = node.value instanceof Uint8Array ? Buffer.from(node.value) : Buffer.alloc(0);
      return { kind: "leaf", type: "binary", text: bytes.toString("base64") };
    }
    const { value, source } = node;
    if (typeof value === "string") return { kind: "leaf", type: isPlainTime(node) ? "time" : "text", text: value };
    if (value === null || value === undefined) return { kind: "leaf", type: "null", text: "" };
    if (typeof value === "bigint") return { kind: "leaf", type: "integer", text: String(value) };
    if (typeof value === "boolean") return { kind: "leaf", type: "boolean", text: String(value) };
    return { kind: "leaf", type: "float", text: source ?? "" };
  }

  #checkTag(node: Node & { readonly tag?: string; readonly anchor?: string }, allowed: string | undefined): void {
    const offset = node.range?.[0] ?? 0;
    if (node.tag !== undefined && node.tag !== allowed) throw this.fail("the one tag allowed is !!binary", offset);
  }
}

function isPlainTime(node: Scalar): boolean {
  return node.type === "PLAIN" && timestamp.test(String(node.value));
}

function commentsOf(node: Scalar): string[] {
  return [...linesOf(node.commentBefore), ...linesOf(node.comment)];
}

/** Comments above a collection belong to its first item, as a reader sees them. */
function withHead(branch: SourceBranch, head: readonly string[], tail: readonly string[]): SourceBranch {
  const [first, ...rest] = branch.items;
  if (first === undefined) return { ...branch, trailing: [...head, ...branch.trailing, ...tail] };
  const items = [{ ...first, comments: [...head, ...first.comments] }, ...rest];
  return { ...branch, items, trailing: [...branch.trailing, ...tail] };
}

function linesOf(comment: string | null | undefined): string[] {
  return typeof comment === "string" ? comment.split("\n").filter((line) => line !== "") : [];
}
