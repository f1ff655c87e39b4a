import { parse as parseWithLibrary, TomlError } from "smol-toml";
import { inputError } from "../values/input-text.ts";
import { firstThatReads, type Fill, type TemplateFormat, type TemplateString } from "./template-format.ts";

interface TomlString extends TemplateString {
  /** What it begins and ends with. */
  readonly quote: Quote;
}

type Quote = '"""' | "'''" | '"' | "'";

/** Comment, the four kinds of strings, and what decides where a key can stand. A multi-line string may end with two quotes of its own. */
const token =
  /#[^\n]*|"""(?:\\[^]|[^\\])*?"""(?:"{0,2})|'''[^]*?'''(?:'{0,2})|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[=[\]{}\n]|[^#"'=[\]{}\n]+/y;
const beforeSign = /[ \t]*[.=]/y;

/** TOML 1.0. What a literal string cannot hold is written as a basic one. */
export const tomlTemplate: TemplateFormat<TomlString> = {
  parse(text) {
    checkToml(text);
    const strings: TomlString[] = [];
    for (const { start, end, isKey } of listStrings(text)) {
      const written = text.slice(start, end);
      if (!written.includes("secret") && !written.includes("\\")) continue;
      const quote = (/^(?:"""|'''|"|')/.exec(written)?.[0] ?? '"') as Quote;
      const value = isKey ? decodeKey(written) : decode(written);
      if (value !== undefined) strings.push({ start, end, value, isKey, quote });
    }
    return strings;
  },
  print(text, { start, end, quote }, fill) {
    return firstThatReads(fill.value, candidates(text.slice(start, end), quote, fill), decode);
  },
};

function* candidates(raw: string, quote: Quote, { value, within }: Fill): Generator<string | undefined> {
  if (quote.startsWith('"')) yield within(raw, escapeToml);
  else if (isLiteral(value)) yield within(raw, (text) => text);
  yield `"${escapeToml(value)}"`;
}

/** Where strings stand, and which are keys: those before a dot or an equals sign, and those in the head of a table. */
function* listStrings(text: string): Generator<{ start: number; end: number; isKey: boolean }> {
  let depth = 0;
  let isInValue = false;
  for (let offset = 0; offset < text.length;) {
    token.lastIndex = offset;
    const [found = text.slice(offset)] = token.exec(text) ?? [];
    const end = offset + found.length;
    if (found.startsWith('"') || found.startsWith("'")) {
      beforeSign.lastIndex = end;
      yield { start: offset, end, isKey: !isInValue || beforeSign.test(text) };
    } else if (found === "=") isInValue = true;
    else if (isInValue && (found === "[" || found === "{")) depth += 1;
    else if (isInValue && (found === "]" || found === "}")) depth -= 1;
    else if (found === "\n" && depth === 0) isInValue = false;
    offset = end;
  }
}

/** True for a value without a control character that literal strings cannot hold. */
function isLiteral(value: string): boolean {
  // oxlint-disable-next-line no-control-regex -- TOML forbids them here
  return !/[\u0000-\u0008\u000b-\u001f\u007f]/.test(value);
}

/** `text` between the quotes of a basic string, of one line or of several. */
function escapeToml(text: string): string {
  // oxlint-disable-next-line no-control-regex -- TOML wants them escaped
  return text.replace(/["\\\u0000-\u0008\u000a-\u001f\u007f]/g, (character) => {
    if (character === '"' || character === "\\") return `\\${character}`;
    if (character === "\n") return "\\n";
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  });
}

function decode(written: string): string | undefined {
  try {
    const value = parseWithLibrary(`v = ${written}`)["v"];
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

function decodeKey(written: string): string | undefined {
  try {
    return Object.keys(parseWithLibrary(`${written} = 1`))[0];
  } catch {
    return undefined;
  }
}

/** The library's own message quotes the text, so only its line is passed on. */
function checkToml(text: string): void {
  try {
    parseWithLibrary(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw inputError("the text is not valid TOML", error.line, 'a reference stands in quotes: "${secret:scope/NAME}"');
  }
}
