import {
  maxSourceDepth,
  type SourceBranch,
  type SourceItem,
  sourceLineError,
  type SourceLeaf,
  type SourceNode,
} from "./source-tree.ts";

const space = /[ \t\r\n]*/y;
const stringToken = /"[^"\\]*(?:\\.[^"\\]*)*"/sy;
const numberToken = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const wordToken = /true|false|null/y;

/**
 * A JSON object (RFC 8259) as a tree. Members keep their order, also those with numbers for names,
 * and numbers the text they are written as: JSON.parse would change both. Throws E_INPUT_INVALID
 * with the line for anything that is no object, for a name twice, and beyond 64 levels.
 */
export function readJsonTree(text: string): SourceBranch {
  const cursor = new JsonCursor(text);
  const tree = cursor.value(0);
  if (!cursor.isAtEnd) throw cursor.fail("the JSON goes on after its end");
  if (tree.kind !== "map") throw cursor.fail("the JSON is not an object");
  return tree;
}

class JsonCursor {
  readonly #text: string;
  #offset = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skip();
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#text.length;
  }

  value(depth: number): SourceNode {
    if (depth > maxSourceDepth) throw this.fail("the JSON is nested too deeply");
    const next = this.#text.charAt(this.#offset);
    if (next === "{") return this.#map(depth);
    if (next === "[") return this.#list(depth);
    if (next === '"') return { kind: "leaf", type: "text", text: this.#string() };
    const number = this.#token(numberToken);
    if (number !== undefined) {
      return { kind: "leaf", type: /^-?[0-9]+$/.test(number) ? "integer" : "float", text: number };
    }
    return this.#word();
  }

  fail(message: string): Error {
    return sourceLineError(message, this.#text.slice(0, this.#offset).split("\n").length);
  }

  #map(depth: number): SourceBranch {
    const items: SourceItem[] = [];
    const keys = new Set<string>();
    this.#take("{");
    if (!this.#takes("}")) {
      do {
        if (this.#text.charAt(this.#offset) !== '"') throw this.fail("the JSON has no name here");
        const key = this.#string();
        if (keys.has(key)) throw this.fail("a name stands twice in one object");
        keys.add(key);
        this.#take(":");
        items.push({ key, value: this.value(depth + 1), comments: [] });
      } while (this.#takes(","));
      this.#take("}");
    }
    return { kind: "map", items, trailing: [] };
  }

  #list(depth: number): SourceBranch {
    const items: SourceItem[] = [];
    this.#take("[");
    if (!this.#takes("]")) {
      do items.push({ key: "", value: this.value(depth + 1), comments: [] });
      while (this.#takes(","));
      this.#take("]");
    }
    return { kind: "list", items, trailing: [] };
  }

  #string(): string {
    const token = this.#token(stringToken);
    try {
      const text = JSON.parse(token ?? "") as string;
      if (/\p{Surrogate}/u.test(text)) throw this.fail("a text has half of a surrogate pair");
      return text;
    } catch (error) {
      if (error instanceof SyntaxError) throw this.fail("the JSON has a broken string");
      throw error;
    }
  }

  #word(): SourceLeaf {
    const word = this.#token(wordToken);
    if (word === undefined) throw this.fail("the JSON has no value here");
    return word === "null" ? { kind: "leaf", type: "null", text: "" } : { kind: "leaf", type: "boolean", text: word };
  }

  #token(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    const token = pattern.exec(this.#text)?.[0];
    if (token === undefined) return undefined;
    this.#offset += token.length;
    this.#skip();
    return token;
  }

  #take(character: string): void {
    if (!this.#takes(character)) throw this.fail(`the JSON has no ${character} here`);
  }

  #takes(character: string): boolean {
    if (this.#text.charAt(this.#offset) !== character) return false;
    this.#offset += 1;
    this.#skip();
    return true;
  }

  #skip(): void {
    space.lastIndex = this.#offset;
    this.#offset += space.exec(this.#text)?.[0].length ?? 0;
  }
}
