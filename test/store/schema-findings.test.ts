import { describe, expect, it } from "vitest";
import { accessSchema } from "../../src/access/policy-schema.ts";
import { rotationSchema } from "../../src/rotation/policy-schema.ts";
import type { Finding } from "../../src/store/finding.ts";
import { readChecked } from "../../src/store/schema-findings.ts";

const pasted = "canary+7q2x/Value";

function findingsOf(text: string, schema: typeof accessSchema | typeof rotationSchema): Finding[] {
  const findings: Finding[] = [];
  readChecked(Buffer.from(text), "a.yaml", { schema, rule: "test-rule", findings });
  return findings;
}

describe("readChecked", () => {
  it.each([
    ["an unknown field", "version: 1\nmembers: {}\nroles: {}\nCANARY: 1\n", 4, "the file: a field is not known"],
    [
      "a field of a member",
      "version: 1\nmembers:\n  alice:\n    CANARY: x\n    roles: [a]\nroles: {}\n",
      4,
      "members.alice: a",
    ],
    [
      "a name that is none",
      "version: 1\nmembers:\n  CANARY: { roles: [a] }\nroles: {}\n",
      3,
      "members....: a member's name",
    ],
    ["a value that is none", "version: 1\nmembers:\n  alice: CANARY\nroles: {}\n", 3, "members.alice: Invalid input"],
    [
      "a name that is too long to be said",
      `version: 1\nmembers:\n  canary${"a".repeat(40)}: {}\nroles: {}\n`,
      3,
      "members.....roles: ",
    ],
    ["something else than YAML", "version: 1\nmembers: [CANARY\n", 3, "not valid YAML"],
    ["conflict markers", "version: 1\n<<<<<<< ours\nmembers: CANARY\n", 2, "the file has conflict markers"],
  ])("says where %s stands and not what", (_what, text, line, said) => {
    const [finding, ...others] = findingsOf(text.replaceAll("CANARY", JSON.stringify(pasted)), accessSchema);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: "test-rule", severity: "error", file: "a.yaml", line });
    expect(finding?.message).toContain(said);
    expect(finding?.message).not.toContain("canary");
    expect(finding?.message).not.toContain("a.yaml");
  });

  it("names the address whose rule is wrong, and no key that is no address", () => {
    expect(findingsOf("secrets:\n  prod/api/KEY: { interval: 1s }\n", rotationSchema)).toMatchObject([
      { line: 2, message: /^secrets.prod\/api\/KEY.interval: / },
    ]);
    const [finding] = findingsOf(`secrets:\n  ${JSON.stringify(pasted)}: { interval: 1s }\n`, rotationSchema);
    expect(finding?.message).toMatch(/^secrets\.\.\.\.: a key of secrets is an address/);
  });
});
