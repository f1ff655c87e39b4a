import { describe, expect, it } from "vitest";
import { parseStrictYaml } from "../../src/store/strict-yaml.ts";

const parse = (text: string) => parseStrictYaml(Buffer.from(text), "policies/access.yaml").data;

describe("parseStrictYaml", () => {
  it.each(["\u0007", "\u001b[2J", "\u0085", "\u2028", "\u202e", "\u2066", "\u200f", "\u0000"])(
    "refuses %j in a comment, a key and a value, with the line",
    (hidden) => {
      for (const text of [`a: 1\n# ${hidden}\n`, `a: 1\n"${hidden}": 1\n`, `a: 1\nb: "${hidden}"\n`])
        expect(() => parse(text)).toThrow(expect.objectContaining({ code: "E_POLICY_INVALID", line: 2 }));
    },
  );

  it("takes letters of any language, tabs in comments and CRLF", () => {
    expect(parse("# é 日本\tעברית\r\na: Ω\r\n")).toEqual({ a: "Ω" });
  });
});
