import { parse as parseWithLibrary } from "dotenv";
import { parseEnv } from "node:util";
import { listAssignments, parseDotenv, quoteDotenv } from "../values/dotenv-text.ts";
import { firstThatReads, type TemplateFormat, type TemplateString } from "./template-format.ts";

interface DotenvString extends TemplateString {
  readonly name: string;
}

/** .env files, as Node and the library `dotenv` both read them. A value that is put in has the quotes it needs. */
export const dotenvTemplate: TemplateFormat<DotenvString> = {
  parse(text) {
    parseDotenv(text);
    const place = placesWithReturns(text);
    return [...listAssignments(text.replace(/\r\n?/g, "\n"))].map(({ name, value, start, end }) => ({
      name,
      value: value.revealText() ?? "",
      start: place(start),
      end: place(end),
      isKey: false,
    }));
  },
  print(text, { name, end }, { value }) {
    const [rest = ""] = /^[^\r\n]*/.exec(text.slice(end, end + maxRest)) ?? [];
    return firstThatReads(value, [quoteDotenv(name, value)?.written], (written) => {
      const line = `${name}=${written}${rest}\n`;
      const read = parseWithLibrary(line)[name];
      return read === parseEnv(line)[name] ? read : undefined;
    });
  },
};

/** A comment behind a value is looked at so far. */
const maxRest = 4096;

/** From offsets in `text` with line feeds only to those in `text`. */
function placesWithReturns(text: string): (offset: number) => number {
  const pairs = [...text.matchAll(/\r\n/g)].map(({ index }, count) => index - count);
  let passed = 0;
  return (offset) => {
    while (passed < pairs.length && (pairs[passed] ?? 0) < offset) passed += 1;
    return offset + passed;
  };
}
