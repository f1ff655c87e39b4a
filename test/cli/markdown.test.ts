import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { markdownCode, markdownForeign, markdownText } from "../../src/cli/markdown.ts";

const marks = [
  "@a",
  "<b>",
  "](x)",
  "[",
  "`",
  "``",
  "|",
  "\\",
  "https://e.test",
  "www.e.test",
  "#1",
  "GH-3",
  "*",
  "_",
  "~",
];
const more = [
  " ",
  "\n",
  "1.",
  "- ",
  "+ ",
  "> ",
  "&amp;",
  "$x$",
  ":smile:",
  "deadbeef",
  "\u001b[1m",
  "\u200b",
  "a",
  "é",
];
const texts = fc.array(fc.constantFrom(...marks, ...more)).map((parts) => parts.join(""));

describe("markdownText", () => {
  it.each([
    ["bob gains 3 values in 2 scopes: prod/api, dev/app (by the policy)", undefined],
    ["a_b", "a&#95;b"],
    ["@bob", "&#64;&#8203;bob"],
    ["https://e.test", "https&#58;&#8203;//e.test"],
    ["www.e.test", "www&#8203;&#46;e.test"],
    ["1. one", "&#49;. one"],
    ["a|b", "a&#124;b"],
  ])("writes %j", (text, expected = text) => {
    expect(markdownText(text)).toBe(expected);
  });

  it("leaves nothing that means something, whatever the text is", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const written = markdownText(text).replaceAll(/&#\d+;/g, "\u0000");
        expect(written).not.toMatch(/[\\`*_{}[\]<>|~&@#$\n]|:\S|www\.|\bgh-\d|^\s*(?:[-+=]|\d+[.)])/i);
      }),
    );
  });
});

describe("markdownForeign", () => {
  it("keeps plain words, and puts everything else into one piece of code", () => {
    expect(markdownForeign("Grace O'Hopper")).toBe("Grace O'Hopper");
    fc.assert(
      fc.property(texts, (text) => {
        const written = markdownForeign(text);
        expect(written).toMatch(/^(?:(?:\p{L}[\p{L}\p{N} ,()'!?-]*)?|(`+)(?!`)[^|\n]*[^`|\n]\1)$/u);
      }),
    );
  });

  it("takes what a host makes a link of for code", () => {
    for (const text of ["deadbeef", "gh-12", "a.b", "@a"]) expect(markdownForeign(text)).toBe(`\`${text}\``);
  });
});

describe("markdownCode", () => {
  it("has a fence that its text does not have, no bar, and an end", () => {
    expect(markdownCode("a``b|c\\")).toBe("``` a``b\u2502c\u29f5 ```");
    expect(markdownCode("x".repeat(500))).toHaveLength(122);
    expect(markdownCode(" \n ")).toBe("");
  });
});
