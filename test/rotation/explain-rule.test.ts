import { describe, expect, it } from "vitest";
import { explainRule } from "../../src/rotation/explain-rule.ts";
import { loadRotationPolicy } from "../../src/rotation/policy.ts";
import { parseAddress } from "../../src/secret/address.ts";
import { memoryTree } from "../access/memory-tree.ts";

const text = `defaults: { interval: 60d, owner: alice, rotator: manual }
types:
  tokens: { interval: 2w, notice: 36h, rotator: generate, options: { kind: hex, bytes: 16 } }
secrets:
  prod/api/A: { type: tokens, rollback: false }
  prod/api/B: { type: tokens, rotator: manual, runbook: docs/b.md }
  prod/api/C: { interval: never, at: "04:30" }
`;

async function explain(address: string) {
  const policy = await loadRotationPolicy(memoryTree({ "policies/rotation.yaml": text }));
  return explainRule(policy, parseAddress(address))?.map(({ field, text: value, source }) => [field, value, source]);
}

describe("explainRule", () => {
  it("names for each field the place it is from, and of options only the names", async () => {
    expect(await explain("prod/api/A")).toEqual([
      ["rotator", "generate", "type"],
      ["options", "kind, bytes", "type"],
      ["interval", "14d", "type"],
      ["at", "02:00", "built in"],
      ["notice", "36h", "type"],
      ["grace", "1d", "built in"],
      ["rollback", "false", "secret"],
      ["owner", "alice", "defaults"],
    ]);
  });

  it("takes no options from a place that does not name the rotator", async () => {
    const fields = await explain("prod/api/B");
    expect(fields?.map(([field]) => field)).not.toContain("options");
    expect(fields).toContainEqual(["rotator", "manual", "secret"]);
  });

  it("says never and a time of day as the policy does, and nothing of a secret without a rule", async () => {
    const fields = await explain("prod/api/C");
    expect(fields).toContainEqual(["interval", "never", "secret"]);
    expect(fields).toContainEqual(["at", "04:30", "secret"]);
    expect(await explain("prod/api/NONE")).toBeUndefined();
  });
});
