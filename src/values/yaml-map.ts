import { Composer, type CST, isMap, isScalar, LineCounter, type Pair, Parser, type YAMLMap } from "yaml";
import type { SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import { addEntry, checkInputText, inputError, parseBinaryAt, parseNameAt, parseValueAt } from "./input-text.ts";

/** A comment in YAML text. */
export interface YamlComment {
  /** The text after `#`, exactly. */
  readonly text: string;
  /** One-based. */
  readonly line: number;
  /** True when the comment begins its line, at the first column. */
  readonly ownsLine: boolean;
}

/** A flat YAML map as it was read. */
export interface YamlMap {
  readonly entries: Map<SecretName, Secret>;
  /** One-based line of every name. */
  readonly lines: ReadonlyMap<SecretName, number>;
  /** In the order they stand. */
  readonly comments: readonly YamlComment[];
}

const binaryTag = "tag:yaml.org,2002:binary";
const scalarTypes: ReadonlySet<string> = new Set<CST.Token["type"]>([
  "scalar",
  "single-quoted-scalar",
  "double-quoted-scalar",
  "block-scalar",
]);

/**
 * Reads one flat map under YAML's failsafe schema: every scalar is the text it is written as
 * (`yes`, `0755`, `1e3`, `~`), `!!binary` is bytes, and the empty text is an empty map.
 * Directives, further documents, anchors, aliases, other tags, lists, nested maps and equal
 * names are E_INPUT_INVALID with the line and never the content; nesting is refused on the
 * token tree, before anything recurses into it.
 */
export function readYamlMap(text: string): YamlMap {
  checkInputText(text);
  const counter = new LineCounter();
  const tokens = [...new Parser(counter.addNewLine).parse(text)];
  const lineOf = (offset: number) => Math.max(counter.linePos(offset).line, 1);
  for (const token of tokens) checkFlat(token, lineOf);
  const map = composeMap(tokens, text.length, lineOf);
  const entries = new Map<SecretName, Secret>();
  const lines = new Map<SecretName, number>();
  for (const pair of map?.items ?? []) {
    const { name, line } = readName(pair, lineOf);
    addEntry(entries, name, readValue(pair, name, line), line);
    lines.set(name, line);
  }
  return { entries, lines, comments: readComments(tokens, text, lineOf) };
}

function composeMap(tokens: CST.Token[], length: number, lineOf: (offset: number) => number): YAMLMap | null {
  const composer = new Composer({
    schema: "failsafe",
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  const [document, second] = composer.compose(tokens, true, length);
  const problem = document?.errors[0];
  if (problem !== undefined) {
    const reason = problem.code.toLowerCase().replaceAll("_", " ");
    throw inputError(`the YAML is not valid (${reason})`, lineOf(problem.pos[0]));
  }
  if (second !== undefined) throw inputError("the YAML has a second document", lineOf(second.range[0]));
  const contents = document?.contents ?? null;
  if (contents === null) return null;
  const line = lineOf(contents.range[0]);
  if (!isMap(contents)) throw inputError("the YAML is not a map of names to values", line);
  if (contents.tag !== undefined) throw inputError("the YAML map has a tag", line);
  if (contents.anchor !== undefined) throw inputError("the YAML map has an anchor", line);
  return contents;
}

function checkFlat(token: CST.Token, lineOf: (offset: number) => number): void {
  if (token.type === "directive") throw inputError("the YAML has a directive", lineOf(token.offset));
  if (token.type !== "document") return;
  const map = token.value;
  if (map?.type !== "block-map" && map?.type !== "flow-collection") return;
  for (const { key, value } of map.items) {
    for (const part of [key, value]) {
      if (part === undefined || part === null || scalarTypes.has(part.type)) continue;
      const what = part.type === "alias" ? "an alias" : "a list or a nested map";
      throw inputError(`the YAML has ${what}, and it has to be flat`, lineOf(part.offset));
    }
  }
}

function readName(pair: Pair, lineOf: (offset: number) => number): { name: SecretName; line: number } {
  const { key } = pair;
  if (!isScalar(key)) throw inputError("the YAML has a name that is not text", 1);
  const line = lineOf(key.range?.[0] ?? 0);
  if (key.anchor !== undefined) throw inputError("the YAML has an anchor", line);
  if (key.tag !== undefined) throw inputError("the YAML has a tag on a name", line);
  return { name: parseNameAt(String(key.value), line), line };
}

function readValue(pair: Pair, name: SecretName, line: number): Secret {
  const { value } = pair;
  if (!isScalar(value)) throw inputError("a name has no value", line);
  if (value.anchor !== undefined) throw inputError(`the value of ${name} has an anchor`, line);
  if (value.tag === binaryTag) return parseBinaryAt(String(value.value), name, line);
  if (value.tag !== undefined)
    throw inputError(`the value of ${name} has a tag`, line, "the one tag allowed is !!binary");
  return parseValueAt(String(value.value), name, line);
}

function readComments(tokens: readonly CST.Token[], text: string, lineOf: (offset: number) => number): YamlComment[] {
  return listComments(tokens)
    .sort((a, b) => a.offset - b.offset)
    .map(({ offset, source }) => ({
      text: source.slice(1),
      line: lineOf(offset),
      ownsLine: offset === 0 || text[offset - 1] === "\n",
    }));
}

function listComments(tokens: readonly CST.Token[]): CST.SourceToken[] {
  return tokens.flatMap((token) => (token.type === "comment" ? [token] : listComments(innerTokens(token))));
}

function innerTokens(token: CST.Token): CST.Token[] {
  if (token.type === "document") return [...token.start, ...tokenList(token.value), ...(token.end ?? [])];
  if (token.type === "block-scalar") return token.props;
  const items = "items" in token ? token.items.flatMap(itemTokens) : [];
  return [...items, ...(("end" in token && token.end) || [])];
}

function itemTokens(item: CST.CollectionItem): CST.Token[] {
  return [...item.start, ...tokenList(item.key), ...(item.sep ?? []), ...tokenList(item.value)];
}

function tokenList(token: CST.Token | null | undefined): CST.Token[] {
  return token === undefined || token === null ? [] : [token];
}
