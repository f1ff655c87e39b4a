import { describe, expect, it } from "vitest";
import { parseAttributes } from "../../src/review/attribute-file.ts";

const path = "secrets/prod/api.yaml";

function matches(pattern: string, other = path, file = ".gitattributes"): boolean {
  const [line] = parseAttributes(`${pattern} filter=x\n`, file);
  return line?.matches(other) ?? false;
}

describe("a pattern of .gitattributes", () => {
  it.each([
    "*",
    "*.yaml",
    "api.yaml",
    "a?i.*",
    "[a-c]pi.yaml",
    "[!x]pi.yaml",
    "secrets/**",
    "/secrets/**",
    "**/api.yaml",
    "**/prod/*",
    "secrets/**/api.yaml",
    "secrets/prod/**/api.yaml",
    "SECRETS/**",
    "*/prod/*.yaml",
    '"secrets/prod/api.yaml"',
    '"secrets/\\160rod/api.yaml"',
    "secrets/prod/a\\pi.yaml",
  ])("%s matches", (pattern) => {
    expect(matches(pattern)).toBe(true);
  });

  it.each([
    "*.png",
    "secrets",
    "secrets/",
    "secrets/*",
    "prod/*",
    "/api.yaml",
    "secrets/**/web.yaml",
    "[x-z]pi.yaml",
    "api.yaml/**",
    "ap",
  ])("%s does not match", (pattern) => {
    expect(matches(pattern)).toBe(false);
  });

  it("of a file in a folder speaks of that folder only", () => {
    expect(matches("*.yaml", path, "secrets/prod/.gitattributes")).toBe(true);
    expect(matches("api.yaml", path, "secrets/dev/.gitattributes")).toBe(false);
    expect(matches("prod/api.yaml", path, "secrets/.gitattributes")).toBe(true);
    expect(matches("/prod/api.yaml", path, "secrets/.gitattributes")).toBe(true);
  });

  it("takes no time to speak of, whatever it is", () => {
    expect(matches(`${"*a".repeat(900)}b`, `secrets/${"a".repeat(4000)}.yaml`)).toBe(false);
    expect(matches(`${"**/a/".repeat(300)}b`, `secrets/${"a/".repeat(2000)}c`)).toBe(false);
  });
});

describe("parseAttributes", () => {
  const settingsOf = (text: string) =>
    parseAttributes(text, ".gitattributes").map(({ line, settings }) => [line, ...settings]);

  it("reads settings, with their lines, and skips comments", () => {
    expect(settingsOf("# none\n\n* text -diff !merge eol=lf\r\n")).toEqual([
      [3, ["text", true], ["diff", false], ["merge", undefined], ["eol", "lf"]],
    ]);
  });

  it("resolves macros, also those that call others, and does not go round in circles", () => {
    expect(settingsOf("[attr]evil filter=x more\n[attr]more evil diff=y\n* evil\n")).toEqual([
      [3, ["evil", true], ["filter", "x"], ["more", true], ["diff", "y"]],
    ]);
    expect(settingsOf("*.bin binary")).toEqual([
      [1, ["binary", true], ["diff", false], ["merge", false], ["text", false]],
    ]);
  });
});
