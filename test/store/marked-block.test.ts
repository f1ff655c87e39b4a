import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linesAfterBlock, replaceMarkedBlock } from "../../src/store/marked-block.ts";

const block = "# sealtree: begin\none\n# sealtree: end\n";

describe("replaceMarkedBlock", () => {
  it.each([
    ["an empty file", "", block],
    ["a file without the block", "a\n", `a\n${block}`],
    ["a file whose last line does not end", "a", `a\n${block}`],
    ["a block of other lines", "a\n# sealtree: begin\nold\nlines\n# sealtree: end\nb\n", `a\n${block}b\n`],
    ["a block whose last line does not end", "# sealtree: begin\n# sealtree: end", block],
    ["a begin without an end", "# sealtree: begin\na\n", `# sealtree: begin\na\n${block}`],
    [
      "markers within a line",
      "x # sealtree: begin\n# sealtree: end x\n",
      `x # sealtree: begin\n# sealtree: end x\n${block}`,
    ],
  ])("puts it into %s", (_where, before, after) => {
    expect(replaceMarkedBlock(before, ["one"])).toBe(after);
  });

  it("changes nothing the second time, and keeps every other line", () => {
    const line = fc.stringMatching(/^[a-z# ]{0,12}$/);
    fc.assert(
      fc.property(fc.array(line), fc.array(line), (before, after) => {
        const text = [...before, block.trimEnd(), ...after, ""].join("\n");
        const once = replaceMarkedBlock(text, ["two", "three"]);
        expect(replaceMarkedBlock(once, ["two", "three"])).toBe(once);
        expect(once.replace("two\nthree\n", "one\n")).toBe(text);
      }),
    );
  });
});

describe("linesAfterBlock", () => {
  it("gives what follows the block and is no comment", () => {
    expect(linesAfterBlock(`a\n${block}\n# note\n* @x\n`)).toEqual(["* @x"]);
    expect(linesAfterBlock("a\n")).toEqual([]);
  });
});
