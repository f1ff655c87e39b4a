import { jsonForm } from "../secret/encoded-forms.ts";
import { inputError } from "../values/input-text.ts";
import { firstThatReads, type TemplateFormat, type TemplateString } from "./template-format.ts";

const stringToken = /"[^"\\]*(?:\\.[^"\\]*)*"(?=[ \t\r\n]*(:)?)/gs;

/** JSON (RFC 8259). */
export const jsonTemplate: TemplateFormat<TemplateString> = {
  parse(text) {
    checkJson(text);
    return [...text.matchAll(stringToken)].flatMap(({ 0: token, 1: colon, index }) => {
      if (!token.includes("secret") && !token.includes("\\")) return [];
      const value = JSON.parse(token) as string;
      return [{ start: index, end: index + token.length, value, isKey: colon !== undefined }];
    });
  },
  print(text, { start, end }, { value, within }) {
    const raw = text.slice(start, end);
    return firstThatReads(value, [within(raw, jsonForm), JSON.stringify(value)], (written) => decode(written));
  },
};

/** The parser's own message quotes the text, so it is not passed on. */
function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw inputError(
      "the text is not valid JSON",
      1,
      "comments and trailing commas are no JSON",
      "or put values in as they are: --format text",
    );
  }
}

function decode(written: string): string | undefined {
  try {
    return JSON.parse(written) as string;
  } catch {
    return undefined;
  }
}
