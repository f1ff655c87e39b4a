import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { reportedNames, rules } from "../../src/review/checks/registry.ts";
import { printGithubFinding } from "../../src/review/print-findings.ts";
import { maxProblems, readScopeProblems } from "../../src/review/scope-problems.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { headingsOf } from "../support/markdown.ts";

const scope = parseScopePath("dev/app");

describe("the registry", () => {
  it("has rules with names of their own, each with a heading in docs/checks.md, in that order", () => {
    const names = rules.map(({ name }) => name);
    const reported = reportedNames.map(({ name }) => name);
    expect(new Set([...names, ...reported]).size).toBe(names.length + reported.length);
    const page = readFileSync(fileURLToPath(new URL("../../docs/checks.md", import.meta.url)), "utf8");
    const headings = headingsOf(page).filter((heading) => /^[a-z-]+$/.test(heading));
    expect(headings.filter((heading) => !reported.some((name) => name === heading))).toEqual(names);
    expect(headings).toEqual(expect.arrayContaining(reported));
  });

  it("says of each rule what it looks for in a sentence", () => {
    for (const { describe: text } of [...rules, ...reportedNames]) expect(text).toMatch(/^[A-Zp.].*\.$/);
  });
});

describe("readScopeProblems", () => {
  const linesOf = (text: string) => readScopeProblems(Buffer.from(text), scope).problems.map(({ line }) => line);

  it.each([
    ["$sealtree: 1\n$scope: dev/app\n", []],
    ["$sealtree: 1\n$scope: dev/app", [2]],
    ["", [1, 2]],
    ["x\ny\nz\n", [1, 2, 3]],
    ["$sealtree: 1\n$scope: dev/app\n\n# one\n\n# two\n# three\n", [5, 7]],
    ["$sealtree: 1\n$scope: dev/app\n# one\n# two\nA: plain\n# \u0007\nB: plain\n", [5, 6, 7]],
    ["$sealtree: 1\n$scope: dev/app\n<<<<<<< a\n=======\n>>>>>>> b\n", [3]],
  ])("finds in %j the lines %j", (text, expected) => {
    expect(linesOf(text)).toEqual(expected);
  });

  it("ends on a file that is nothing but mistakes, and on bytes that are no text", () => {
    expect(linesOf(`$sealtree: 1\n$scope: dev/app\n${"bad\n".repeat(1000)}`)).toHaveLength(maxProblems);
    expect(readScopeProblems(Buffer.from([0xff, 0xfe, 0x0a]), scope).problems.length).toBeGreaterThan(0);
  });
});

describe("printGithubFinding", () => {
  it("escapes what would end a property, a line or the command", () => {
    const finding = {
      rule: "r",
      severity: "warning",
      file: "a:b,c%d\r\n",
      line: 3,
      message: "50%\nmore, a: b",
      hint: "h",
    } as const;
    expect(printGithubFinding(finding)).toBe(
      "::warning file=a%3Ab%2Cc%25d%0D%0A,line=3,title=sealtree r::50%25%0Amore, a: b%0Ah",
    );
  });
});
