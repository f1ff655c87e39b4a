import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isScopePattern, matchesPatterns } from "../../src/access/scope-pattern.ts";

/** What the documentation says, word by word, as a regular expression. */
function matchesByExpression(patterns: readonly string[], scope: string, member: string): boolean {
  let covered = false;
  for (const pattern of patterns) {
    const body = pattern.replace(/^!/, "").replaceAll("${member}", member);
    const parts = body.split("/").map((segment, index, all) => {
      if (segment !== "**") return `${segment.replaceAll("*", "[^/]*").replaceAll("?", "[^/]")}/`;
      return index === all.length - 1 && index > 0 ? "(?:[^/]+/)+" : "(?:[^/]+/)*";
    });
    if (new RegExp(`^${parts.join("")}$`).test(`${scope}/`)) covered = !pattern.startsWith("!");
  }
  return covered;
}

const letters = (min: number, ...alphabet: string[]) =>
  fc.array(fc.constantFrom(...alphabet), { minLength: min, maxLength: 4 }).map((parts) => parts.join(""));
const scopes = fc
  .array(letters(1, "a", "b", "-"), { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join("/"));
const segments = fc.oneof(
  letters(1, "a", "b", "-", "?"),
  letters(1, "a", "*", "?").filter((text) => !text.includes("**")),
  fc.constant("**"),
  fc.constant("${member}"),
);
const patterns = fc
  .tuple(fc.boolean(), fc.array(segments, { minLength: 1, maxLength: 5 }))
  .map(([isExclusion, parts]) => (isExclusion ? "!" : "") + parts.join("/"));

describe("matchesPatterns", () => {
  it("agrees with a regular expression on every pattern", () => {
    fc.assert(
      fc.property(
        fc.array(patterns, { minLength: 1, maxLength: 4 }),
        scopes,
        fc.constantFrom("a", "ab", "b-a"),
        (list, scope, member) => {
          expect(list.every(isScopePattern)).toBe(true);
          expect(matchesPatterns(list, scope, member)).toBe(matchesByExpression(list, scope, member));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    [["**"], "prod", true],
    [["**"], "prod/api/eu", true],
    [["prod/**"], "prod/api", true],
    [["prod/**"], "prod", false],
    [["prod/**"], "production/api", false],
    [["prod"], "prod/api", false],
    [["*/api"], "prod/api", true],
    [["*/api"], "prod/eu/api", false],
    [["**/api"], "api", true],
    [["a/**/z"], "a/z", true],
    [["**", "!prod/**"], "prod/api", false],
    [["**", "!prod/**", "prod/web"], "prod/web", true],
    [["!prod/**"], "dev/app", false],
    [["user/${member}/**"], "user/bob/x", true],
    [["user/${member}/**"], "user/bobby/x", false],
  ])("%j covers %s: %s", (list, scope, expected) => {
    expect(matchesPatterns(list, scope, "bob")).toBe(expected);
  });

  it("takes no long time on a pattern made to take long", () => {
    const pattern = `${"*a".repeat(200)}*b`.slice(0, 500);
    expect(matchesPatterns([pattern, `${"**/".repeat(80)}b`], "a".repeat(63), "bob")).toBe(false);
  });
});

describe("isScopePattern", () => {
  it.each([
    "",
    "!",
    "/",
    "prod/",
    "/prod",
    "Prod",
    "a**",
    "**a",
    "a//b",
    "!!a",
    "a b",
    "${other}",
    "a.b",
    "a\n",
    `${"a/".repeat(300)}a`,
  ])("refuses %j", (text) => {
    expect(isScopePattern(text)).toBe(false);
  });
});
