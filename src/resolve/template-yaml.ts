import { Composer, CST, LineCounter, Parser } from "yaml";
import { inputError } from "../values/input-text.ts";
import { escapeYaml, isPlainYaml, isPrintableYaml } from "../values/yaml-scalar.ts";
import { firstThatReads, type Fill, type TemplateFormat, type TemplateString } from "./template-format.ts";

interface YamlString extends TemplateString {
  readonly token: ScalarToken;
}

type ScalarToken = CST.FlowScalar | CST.BlockScalar;

/** Deeper ones would not fit the parser's stack. */
const maxDepth = 100;

/**
 * YAML 1.2, any number of documents. What is put in is a string for every parser: a plain scalar
 * stays plain only where no version of YAML could read something else into it, and what a quoted or
 * a block scalar cannot hold is written in double quotes.
 */
export const yamlTemplate: TemplateFormat<YamlString> = {
  parse(text) {
    const counter = new LineCounter();
    const tokens = [...new Parser(counter.addNewLine).parse(text)];
    const lineOf = (offset: number) => Math.max(counter.linePos(offset).line, 1);
    const strings: YamlString[] = [];
    for (const { token, isKey } of listScalars(tokens, lineOf)) {
      if (!token.source.includes("secret") && !token.source.includes("\\")) continue;
      const value = decode(token);
      if (value !== undefined) strings.push({ ...stretchOf(token), value, isKey, token });
    }
    checkYaml(tokens, text.length, lineOf);
    return strings.sort((a, b) => a.start - b.start);
  },
  print(_text, { token }, fill) {
    if (token.type === "block-scalar") return printBlock(token, fill);
    return firstThatReads(fill.value, flowCandidates(token, fill), (written) =>
      written.startsWith('"') || written.startsWith("'") || isPlainYaml(written)
        ? decode(withSource(token, written))
        : undefined,
    );
  },
};

function* flowCandidates(token: CST.FlowScalar, { value, within }: Fill): Generator<string | undefined> {
  if (token.type === "double-quoted-scalar") yield within(token.source, escapeYaml);
  if (token.type === "scalar") yield within(token.source, (text) => text);
  if (token.type === "single-quoted-scalar" && isPrintableYaml(value) && !value.includes("\n"))
    yield within(token.source, (text) => text.replaceAll("'", "''"));
  yield printDouble(value);
}

function printBlock(token: CST.BlockScalar, { value, within }: Fill): string {
  const [, ...more] = token.props;
  const head = token.props.map(sourceOf).join("");
  const indent = /^(?:[ ]*\n)*( *)/.exec(token.source)?.[1] ?? "";
  const source = isPrintableYaml(value)
    ? within(token.source, (text) => text.replaceAll(/\n(?=[^\n])/g, `\n${indent}`))
    : undefined;
  if (source !== undefined && decode({ ...token, source }) === value) return head + source;
  const rest = more.map(sourceOf).join("");
  return printDouble(value) + rest;
}

function printDouble(value: string): string {
  return `"${escapeYaml(value)}"`;
}

function withSource(token: CST.FlowScalar, source: string): CST.FlowScalar {
  const type = source.startsWith('"')
    ? "double-quoted-scalar"
    : source.startsWith("'")
      ? "single-quoted-scalar"
      : "scalar";
  return { ...token, type, source };
}

/** What a token says; undefined when it is broken. */
function decode(token: ScalarToken): string | undefined {
  let isBroken = false;
  const read = CST.resolveAsScalar(token, true, () => (isBroken = true));
  return isBroken ? undefined : read?.value;
}

function sourceOf(token: CST.Token): string {
  return "source" in token ? token.source : "";
}

function stretchOf(token: ScalarToken): { start: number; end: number } {
  const head = token.type === "block-scalar" ? token.props.reduce((sum, it) => sum + sourceOf(it).length, 0) : 0;
  return { start: token.offset, end: token.offset + head + token.source.length };
}

function isScalarToken(token: CST.Token): token is ScalarToken {
  return CST.isScalar(token) && token.type !== "alias";
}

/** Every scalar of a token tree, without recursion: whoever wrote the text chose its depth. */
function* listScalars(
  tokens: readonly CST.Token[],
  lineOf: (offset: number) => number,
): Generator<{ token: ScalarToken; isKey: boolean }> {
  const open = tokens.map((token) => ({ token, isKey: false, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, isKey, depth } = next;
    if (depth > maxDepth) throw inputError(`the YAML is nested deeper than ${maxDepth} levels`, lineOf(token.offset));
    if (isScalarToken(token)) yield { token, isKey };
    else if (token.type === "document") {
      if (token.value !== undefined) open.push({ token: token.value, isKey, depth });
    } else if ("items" in token) {
      for (const { key, value } of token.items) {
        if (key !== undefined && key !== null) open.push({ token: key, isKey: true, depth: depth + 1 });
        if (value !== undefined) open.push({ token: value, isKey, depth: depth + 1 });
      }
    }
  }
}

function checkYaml(tokens: readonly CST.Token[], length: number, lineOf: (offset: number) => number): void {
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, logLevel: "silent", strict: true });
  for (const document of composer.compose(tokens, false, length)) {
    const problem = document.errors[0];
    if (problem === undefined) continue;
    const reason = problem.code.toLowerCase().replaceAll("_", " ");
    throw inputError(
      `the YAML is not valid (${reason})`,
      lineOf(problem.pos[0]),
      'within [ ] and { } a reference stands in quotes: "${secret:scope/NAME}"',
    );
  }
}
