import schema from "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json" with { type: "json" };
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { reportedNames, rules } from "../../src/review/checks/registry.ts";
import { toSarif } from "../../src/review/sarif.ts";
import type { Finding } from "../../src/store/finding.ts";

// zod takes a relative reference for a bad URL.
const text = JSON.stringify(schema).replaceAll('"format":"uri-reference"', '"minLength":1');
const published = z.fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0]);
const finding: Finding = {
  rule: "stale-record",
  severity: "error",
  message: "overdue by 12 days",
  file: "secrets/dev/app.yaml",
  line: 4,
  hint: "sealtree rekey",
};

function resultsOf(findings: readonly Finding[]) {
  return toSarif(findings, "1.2.3").runs.flatMap(({ results }) => results);
}

function fingerprintOf(changes: Partial<Finding>): string | undefined {
  return resultsOf([{ ...finding, ...changes }])[0]?.partialFingerprints["sealtreeFinding/v1"];
}

describe("toSarif", () => {
  it("gives what the published schema allows, with every rule", () => {
    const findings = [...rules, ...reportedNames].flatMap(({ name }) =>
      (["error", "warning", "notice"] as const).map((severity) => ({ ...finding, rule: name, severity })),
    );
    const log = JSON.parse(
      JSON.stringify(toSarif([...findings, { ...finding, file: "secrets/a b\n%#é\u202e.txt" }], "1.2.3")),
    );
    expect(published.safeParse(log).error?.issues).toBeUndefined();
    expect(published.safeParse({ ...log, version: "2.0.0" }).success).toBe(false);
    const [run] = toSarif(findings, "1.2.3").runs;
    for (const { ruleId, ruleIndex } of run?.results ?? []) expect(run?.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
  });

  it("says level, words, file and line", () => {
    expect(resultsOf([finding, { ...finding, severity: "notice" }])).toMatchObject([
      {
        level: "error",
        message: { text: "overdue by 12 days\nsealtree rekey" },
        locations: [
          { physicalLocation: { artifactLocation: { uri: "secrets/dev/app.yaml" }, region: { startLine: 4 } } },
        ],
      },
      { level: "note" },
    ]);
  });

  it("writes a path as a URI that leads nowhere else", () => {
    const uriOf = (file: string) =>
      resultsOf([{ ...finding, file }])[0]?.locations[0]?.physicalLocation.artifactLocation.uri;
    expect(uriOf("secrets/a b#c?d%\n.txt")).toBe("secrets/a%20b%23c%3Fd%25%0A.txt");
    expect(uriOf("secrets/x:y/\ud800z")).toBe("secrets/x%3Ay/%EF%BF%BDz");
  });

  it("keeps the fingerprint when lines move and numbers change, and has one for each finding", () => {
    expect(fingerprintOf({ line: 9, message: "overdue by 13 days" })).toBe(fingerprintOf({}));
    expect(fingerprintOf({ file: "secrets/dev/web.yaml" })).not.toBe(fingerprintOf({}));
    expect(fingerprintOf({ rule: "record" })).not.toBe(fingerprintOf({}));
    const prints = resultsOf([finding, finding]).map((result) => result.partialFingerprints["sealtreeFinding/v1"]);
    expect(new Set(prints).size).toBe(2);
  });
});
