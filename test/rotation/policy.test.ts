import { describe, expect, it } from "vitest";
import { parseAddress } from "../../src/secret/address.ts";
import { dayMs } from "../../src/rotation/duration.ts";
import { findRotationPolicy, loadRotationPolicy, ruleFor } from "../../src/rotation/policy.ts";
import type { Tree } from "../../src/store/tree.ts";

const hour = 3_600_000;

function treeOf(text: string | undefined): Tree {
  return {
    label: "a test tree",
    read: (path) =>
      Promise.resolve(path === "policies/rotation.yaml" && text !== undefined ? Buffer.from(text) : undefined),
    list: () => Promise.resolve([]),
  };
}

async function errorsOf(text: string) {
  const { findings } = await findRotationPolicy(treeOf(text));
  return findings.filter(({ severity }) => severity === "error").map(({ line, message }) => `${line ?? 0}: ${message}`);
}

describe("ruleFor", () => {
  const text = `defaults: { interval: 60d, at: "04:30", owner: alice }
types:
  tokens: { interval: 2w, notice: 3d, rollback: false, rotator: generate, options: { kind: hex } }
secrets:
  prod/api/A: { type: tokens }
  prod/api/B: { type: tokens, notice: 12h, rotator: manual, runbook: docs/b.md }
  prod/api/C: {}
  prod/api/D: { type: tokens, rotator: generate, options: { kind: base64, bytes: 48 } }
  prod/api/E: { interval: never }
`;
  const find = async (address: string) => ruleFor(await loadRotationPolicy(treeOf(text)), parseAddress(address));

  it("takes each field from the secret, else its type, else the defaults, else what is built in", async () => {
    expect(await find("prod/api/A")).toMatchObject({
      type: "tokens",
      intervalMs: 14 * dayMs,
      atMs: 4.5 * hour,
      noticeMs: 3 * dayMs,
      isRollbackAllowed: false,
      graceMs: dayMs,
      rotator: "generate",
      owner: "alice",
    });
    expect(await find("prod/api/B")).toMatchObject({
      intervalMs: 14 * dayMs,
      noticeMs: 12 * hour,
      rotator: "manual",
      runbook: "docs/b.md",
    });
    expect(await find("prod/api/C")).toMatchObject({
      type: undefined,
      intervalMs: 60 * dayMs,
      noticeMs: 7 * dayMs,
      isRollbackAllowed: true,
      rotator: "manual",
    });
    expect(await find("prod/api/E")).toMatchObject({ intervalMs: "never" });
  });

  it("takes the options from the place that names the rotator, and from no other", async () => {
    expect((await find("prod/api/A"))?.options).toEqual({ kind: "hex" });
    expect((await find("prod/api/B"))?.options).toEqual({});
    expect((await find("prod/api/D"))?.options).toEqual({ kind: "base64", bytes: 48 });
  });

  it("is undefined for a secret that the policy does not name, and without a policy", async () => {
    expect(await find("prod/api/OTHER")).toBeUndefined();
    expect(ruleFor(await loadRotationPolicy(treeOf(undefined)), parseAddress("prod/api/A"))).toBeUndefined();
  });
});

describe("findRotationPolicy", () => {
  it.each([
    [
      "an unknown field",
      "secrets:\n  prod/api/A:\n    intervall: 90d\n",
      /^3: secrets.prod\/api\/A: a field is not known$/,
    ],
    [
      "an unknown rotator, naming those there are",
      "secrets:\n  prod/api/A: { rotator: postgrez }\n",
      /^2: .*there is no such rotator; there are (?:[a-z-]+, )+generate, (?:[a-z-]+, )+manual, /,
    ],
    ["a key that is no address", "secrets:\n  API_KEY: {}\n", /^2: .*an address, such as/],
    [
      "a type that is not defined",
      "secrets:\n  prod/api/A:\n    owner: alice\n    type: tokens\n",
      /^4: prod\/api\/A has the type tokens, which is not defined$/,
    ],
    [
      "options without their rotator",
      "secrets:\n  prod/api/A: { options: { kind: hex } }\n",
      /^2: .*options belong to a rotator/,
    ],
    [
      "options that the generator does not have",
      "types:\n  a: { rotator: generate, options: { kind: hex, length: 3 } }\n",
      /^2: types\.a\.options: the options of the generator hex/,
    ],
    [
      "a generator without a kind",
      "defaults: { rotator: generate }\n",
      /^1: defaults.options: there is no generator of this kind$/,
    ],
    [
      "options of the manual rotator",
      "defaults: { rotator: manual, options: { a: 1 } }\n",
      /^1: .*the rotator manual does not have that option$/,
    ],
    ["a bad duration", "\ndefaults: { notice: 7 days }\n", /^2: defaults.notice: not a duration/],
    ["an interval that is too short", "defaults: { interval: 5m }\n", /an interval is 1h at least$/],
    ["a bad time of day", 'defaults: { at: "24:00" }\n', /not a time of day in UTC/],
    ["a runbook with a control character", 'defaults: { runbook: "a\\e[2Jb" }\n', /not a path/],
    ["a wrong shape", "secrets: []\n", /^1: secrets: /],
    ["a duplicate key", "secrets: {}\nsecrets: {}\n", /a key stands here twice/],
  ])("finds %s, with the line", async (_what, text, message) => {
    const errors = await errorsOf(text);
    expect(errors.join("\n")).toMatch(message);
    await expect(loadRotationPolicy(treeOf(text))).rejects.toMatchObject({ code: "E_POLICY_INVALID" });
  });

  it("does not repeat what is written wrongly", async () => {
    const errors = await errorsOf("defaults: { interval: canary-value, at: canary-value, rotator: canary-value }\n");
    expect(errors).toHaveLength(3);
    expect(errors.join()).not.toContain("canary");
  });

  it("warns of a rule for a secret that is not there, and the policy holds nevertheless", async () => {
    const { policy, findings } = await findRotationPolicy(treeOf("secrets:\n  prod/api/A: {}\n"));
    expect(findings).toMatchObject([{ severity: "warning", file: "policies/rotation.yaml", line: 2 }]);
    expect(policy?.secrets.has("prod/api/A")).toBe(true);
    await expect(loadRotationPolicy(treeOf("secrets:\n  prod/api/A: {}\n"))).resolves.toBeDefined();
  });

  it("accepts the policy that init writes", async () => {
    const { defaultRotationPolicy } = await import("../../src/access/default-policy.ts");
    expect(await findRotationPolicy(treeOf(defaultRotationPolicy()))).toMatchObject({ findings: [] });
  });
});
