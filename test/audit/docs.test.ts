import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { auditCodes, meaningOf } from "../../src/audit/codes.ts";

describe("docs/audit.md", () => {
  it("lists every code with its level and meaning, and no other", () => {
    const text = readFileSync(new URL("../../docs/audit.md", import.meta.url), "utf8");
    const rows = text.split("\n").filter((line) => line.startsWith("| HBSE-"));
    expect(rows).toEqual(
      Object.values(auditCodes).map(({ code, level, meaning }) => `| ${code} | ${level} | ${meaning} |`),
    );
  });
});

describe("meaningOf", () => {
  it("knows each code, and says so of none else", () => {
    expect(Object.values(auditCodes).map(({ code }) => meaningOf(code))).not.toContain(undefined);
    expect(meaningOf("HBSE-999")).toBeUndefined();
  });
});
