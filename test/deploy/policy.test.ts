import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findOrderProblems, orderTargets } from "../../src/deploy/deploy-order.ts";
import { loadDeployPolicy, readDeployPolicy } from "../../src/deploy/policy.ts";
import { findNameProblem, nameThere, takesName } from "../../src/deploy/target-names.ts";
import { parseSecretName } from "../../src/secret/address.ts";
import { deployPolicyPath } from "../../src/store/layout.ts";

const treeOf = (text: string) => ({
  read: (path: string) => Promise.resolve(path === deployPolicyPath ? Buffer.from(text) : undefined),
});
const findingsOf = async (text: string) =>
  (await readDeployPolicy(treeOf(text))).findings.map(({ line, message }) => `${line ?? 0}: ${message}`);
const local = "kind: dotenv, file: .env.local, scopes: [prod/api]";

describe("the deploy policy", () => {
  it("is read with what holds where nothing is said", async () => {
    const policy = await loadDeployPolicy(
      treeOf(
        `targets:\n  local: {${local}, only: [STRIPE_*, "!STRIPE_TEST_*"], names: {A: B}, prefix: X_}\nenvironments:\n  test: {sources: [repo, local, {kind: env}], fallback: .env.test, cache: 5m}\n  dev: {sources: [repo]}\n`,
      ),
    );
    expect(policy.targets.get("local")).toMatchObject({
      kind: "dotenv",
      scopes: ["prod/api"],
      isRequired: false,
      isCanary: false,
      adopts: false,
      allowsDrops: false,
      after: [],
      prefix: "X_",
    });
    expect(policy.environments.get("test")).toEqual({
      sources: ["repo", "local", { kind: "env" }],
      fallback: ".env.test",
      cache: 300_000,
    });
    expect(policy.environments.get("dev")).toEqual({ sources: ["repo"], fallback: "none", cache: "off" });
  });

  it("is empty where there is no file", async () => {
    const { targets, environments } = await loadDeployPolicy({ read: () => Promise.resolve(undefined) });
    expect([targets.size, environments.size]).toEqual([0, 0]);
  });

  it.each([
    ["an unknown kind", "targets:\n  a: {kind: nothing, scopes: [prod/api]}", "2: a: there is no such kind of target"],
    [
      "a field that no target has",
      `targets:\n  a:\n    {${local},\n    colour: red}`,
      "4: a: the kind dotenv has no such field",
    ],
    [
      "an option with a wrong content",
      "targets:\n  a: {kind: dotenv, scopes: [prod/api], file: ../x}",
      "2: a: file names a file, without ..",
    ],
    [
      "a pattern for a scope",
      "targets:\n  a: {kind: dotenv, file: x, scopes: [prod/**]}",
      "2: targets.a.scopes.0: not the path of a scope, such as prod/api",
    ],
    [
      "no scope",
      "targets:\n  a: {kind: dotenv, file: x, scopes: []}",
      "2: targets.a.scopes: a target has one scope at least",
    ],
    [
      "a target that comes after one that is not there",
      `targets:\n  a: {${local}, after: [b]}`,
      "2: a: it comes after a target that is not there",
    ],
    [
      "a target that comes after itself",
      `targets:\n  a: {${local}, after: [b]}\n  b: {${local}, after: [a]}`,
      "2: a: it comes after itself",
    ],
    [
      "a canary after what is none",
      `targets:\n  a: {${local}, canary: true, after: [b]}\n  b: {${local}}`,
      "2: a: a canary comes first, so it can only come after another canary",
    ],
    [
      "a source that is not there",
      "environments:\n  test: {sources: [repo, vault]}",
      "2: test: a source is neither repo nor one of the targets",
    ],
    [
      "a fallback outside",
      "environments:\n  test: {sources: [repo], fallback: ../.env}",
      "2: environments.test.fallback: not a file of this repository, and not none",
    ],
    [
      "a time that is none",
      "environments:\n  test: {sources: [repo], cache: 5 minutes}",
      "2: environments.test.cache: not a time such as 300s or 5m, and not off",
    ],
    ["a field of the file that is not known", "target: {}", "1: the file: a field is not known"],
  ])("with %s has a finding on its line", async (_, text, finding) => {
    expect(await findingsOf(text)).toContain(finding);
    await expect(loadDeployPolicy(treeOf(text))).rejects.toMatchObject({ code: "E_POLICY_INVALID" });
  });

  it("never repeats what stands in a wrong place", async () => {
    const pasted = "Pasted-Policy-Canary-7=";
    for (const text of [
      `targets:\n  a: {kind: ${pasted}, scopes: [prod/api]}`,
      `targets:\n  a: {${local}, ${pasted}: 1}`,
      `targets:\n  a: {kind: dotenv, file: x, scopes: [${pasted}]}`,
      `targets:\n  a: {kind: dotenv, file: x, format: ${pasted}, scopes: [prod/api]}`,
      `targets:\n  a: {kind: exec, place: x, command: [x], secrets: {t: ${pasted}}, scopes: [prod/api]}`,
      `environments:\n  t: {sources: [${pasted}]}`,
    ]) {
      const findings = await findingsOf(text);
      expect(findings.length).toBeGreaterThan(0);
      expect(findings.join()).not.toContain("Pasted");
    }
  });
});

describe("takesName", () => {
  it.each([
    [undefined, "A", true],
    [["STRIPE_*"], "STRIPE_KEY", true],
    [["STRIPE_*"], "XSTRIPE_KEY", false],
    [["A.B"], "AXB", false],
    [["*"], "a.b-c", true],
    [["*_KEY", "!TEST_*"], "TEST_KEY", false],
    [["!TEST_*"], "LIVE_KEY", true],
    [["A*B*C"], "AxxByyC", true],
  ] as const)("by %j says of %s: %s", (only, name, taken) => {
    expect(takesName(only, parseSecretName(name))).toBe(taken);
  });
});

describe("nameThere", () => {
  it("takes a name of the policy as it stands, and puts the prefix before others", () => {
    const naming = { only: undefined, names: new Map([["A", "exact"]]), prefix: "X_", toName: (name: string) => name };
    expect([nameThere(naming, parseSecretName("A")), nameThere(naming, parseSecretName("B"))]).toEqual([
      "exact",
      "X_B",
    ]);
  });
});

describe("findNameProblem", () => {
  it("gives the same answer twice also for a pattern that remembers where it was", () => {
    const rule = { pattern: /^A+$/g, says: "A's", maxLength: 3, ignoresCase: false };
    expect([findNameProblem(rule, "AA"), findNameProblem(rule, "AA")]).toEqual([undefined, undefined]);
    expect(findNameProblem(rule, "AAAA")).toBe("is longer than 3 characters");
    expect(findNameProblem(rule, "B")).toBe("is not A's");
  });
});

describe("orderTargets", () => {
  it("puts canaries first, and each after what it comes after, whatever the order in the file", () => {
    const graph = fc.array(fc.record({ isCanary: fc.boolean(), after: fc.array(fc.nat(9), { maxLength: 3 }) }), {
      minLength: 1,
      maxLength: 10,
    });
    fc.assert(
      fc.property(graph, (nodes) => {
        const targets = nodes.map(({ isCanary, after }, index) => ({
          name: `t${index}`,
          isCanary,
          after: after.filter((other) => other < nodes.length).map((other) => `t${other}`),
        }));
        fc.pre(findOrderProblems(targets).length === 0);
        const groups = orderTargets(targets);
        expect(
          groups
            .flat()
            .map(({ name }) => name)
            .toSorted(),
        ).toEqual(targets.map(({ name }) => name).toSorted());
        const place = new Map(groups.flatMap((group, at) => group.map(({ name }) => [name, at] as const)));
        for (const { name, after, isCanary } of targets) {
          for (const other of after) expect(place.get(other)).toBeLessThan(place.get(name) ?? -1);
          for (const it of targets)
            if (isCanary && !it.isCanary) expect(place.get(name)).toBeLessThan(place.get(it.name) ?? -1);
        }
      }),
      { numRuns: 200 },
    );
  });
});
