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

  it("refuses conflict markers with their line and the way out, and not what only looks like one", () => {
    for (const text of ["a: 1\n<<<<<<< ours\nb: 1\n=======\nb: 2\n>>>>>>> theirs\n", "a: 1\n>>>>>>> theirs\r\n"])
      expect(() => parse(text)).toThrow(
        expect.objectContaining({ code: "E_CONFLICT_MARKERS", line: 2, hints: ["take a side: sealtree resolve"] }),
      );
    expect(parse("a: |\n  <<<<<<< ours\nb: '======='\n")).toEqual({ a: "<<<<<<< ours\n", b: "=======" });
  });

  it("takes letters of any language, tabs in comments and CRLF", () => {
    expect(parse("# é 日本\tעברית\r\na: Ω\r\n")).toEqual({ a: "Ω" });
  });
});
