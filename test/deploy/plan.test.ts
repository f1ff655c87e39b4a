import { describe, expect, it } from "vitest";
import { planTarget, type DeployedItem, type PlanInput } from "../../src/deploy/plan.ts";
import type { Found } from "../../src/deploy/targets/target.ts";
import { Secret } from "../../src/secret/secret.ts";

const own = { address: "prod/api/KEY", fingerprint: "1111111111111111" };
const old = { address: "prod/api/KEY", fingerprint: "0000000000000000" };
const foreign = { address: "dev/web/KEY", fingerprint: "9999999999999999" };
const value = Secret.text("plan-canary-value");
const wanted = [{ name: "KEY", value, mark: own }];
const otherValue = Secret.text("plan-canary-other");

function plan(input: Partial<PlanInput>) {
  return planTarget({
    wanted,
    found: [],
    deployed: new Map(),
    facts: { keepsMarks: true },
    keyOf: (name) => name.toLowerCase(),
    adoption: "none",
    prunes: false,
    isOwnAddress: (address) => address.startsWith("prod/api/"),
    isClaimed: () => false,
    ...input,
  });
}

const found = (more: Partial<Found> = {}): Found[] => [{ name: "KEY", ...more }];
const receipt = (more: Partial<DeployedItem> = {}) => new Map([["KEY", { ...own, ...more }]]);
const noMarks = { facts: { keepsMarks: false } };

describe("planTarget", () => {
  const cases: readonly (readonly [string, Partial<PlanInput>, string, string])[] = [
    ["nothing there", {}, "create", "it is not there"],
    ["gone since it was deployed", { deployed: receipt() }, "create", "it is gone there"],
    ["our mark and the value", { found: found({ mark: own, value }) }, "same", ""],
    ["the value as bytes", { found: found({ mark: own, value: Secret.of(value.reveal(), "binary") }) }, "same", ""],
    [
      "our mark and another value",
      { found: found({ mark: own, value: otherValue }) },
      "update",
      "it was changed there",
    ],
    ["the mark of an older value", { found: found({ mark: old, value: otherValue }) }, "update", "it has a new value"],
    [
      "the same value under an old mark",
      { found: found({ mark: old, value }) },
      "update",
      "its mark is of another value",
    ],
    [
      "the mark of another secret",
      { found: found({ mark: foreign, value }) },
      "conflict",
      "it is there for dev/web/KEY",
    ],
    [
      "no mark where marks are kept",
      { found: found({ value }) },
      "conflict",
      "it is there and has no mark of sealtree",
    ],
    ["no mark, told to adopt", { found: found({ value }), adoption: "unmarked" }, "update", "it is taken over"],
    [
      "another's mark, told to adopt",
      { found: found({ mark: foreign }), adoption: "unmarked" },
      "conflict",
      "it is there for dev/web/KEY",
    ],
    [
      "another's mark, told to adopt all",
      { found: found({ mark: foreign }), adoption: "all" },
      "update",
      "it is taken over",
    ],
    [
      "the mark of what it was deployed as",
      { found: found({ mark: foreign, value }), deployed: receipt(foreign) },
      "update",
      "its mark is of another value",
    ],
    [
      "no mark though a receipt knows it",
      { found: found({ value }), deployed: receipt() },
      "conflict",
      "it is there and has no mark of sealtree",
    ],
    [
      "no mark where it comes later, cut off before",
      {
        facts: { keepsMarks: true, marksLater: true },
        found: found({ value }),
        deployed: receipt({ isPending: true }),
      },
      "update",
      "its mark is missing",
    ],
    [
      "no mark where it comes later, and none was about to be",
      { facts: { keepsMarks: true, marksLater: true }, found: found({ value }), deployed: receipt() },
      "conflict",
      "it is there and has no mark of sealtree",
    ],
    ["no marks kept, in the receipt", { ...noMarks, found: found({ value }), deployed: receipt() }, "same", ""],
    [
      "no marks kept, not in the receipt",
      { ...noMarks, found: found({ value }) },
      "conflict",
      "it is there and no receipt says that it is ours",
    ],
    [
      "no marks kept, another value",
      { ...noMarks, found: found({ value: otherValue }), deployed: receipt() },
      "update",
      "it was changed there",
    ],
    [
      "write-only, as it was sent",
      { ...noMarks, found: found({ changedAtMs: 5 }), deployed: receipt({ changedAtMs: 5 }) },
      "same",
      "as it was sent; the target shows no values",
    ],
    [
      "write-only, touched since",
      { ...noMarks, found: found({ changedAtMs: 6 }), deployed: receipt({ changedAtMs: 5 }) },
      "update",
      "it was changed there",
    ],
    [
      "write-only, with an older value",
      { ...noMarks, found: found({ changedAtMs: 5 }), deployed: receipt(old) },
      "update",
      "it has a new value",
    ],
    [
      "write-only, perhaps sent",
      { ...noMarks, found: found(), deployed: receipt({ isPending: true }) },
      "update",
      "it is not known whether it was sent",
    ],
    [
      "write-only with our mark, no receipt",
      { found: found({ mark: own, changedAtMs: 9 }) },
      "same",
      "as it was sent; the target shows no values",
    ],
    [
      "write-only with our mark, a time of another value",
      { found: found({ mark: own, changedAtMs: 9 }), deployed: receipt({ ...old, changedAtMs: 1 }) },
      "same",
      "as it was sent; the target shows no values",
    ],
    [
      "the name in other letters, where that is one name",
      { ...noMarks, found: [{ name: "key", value }], deployed: receipt() },
      "same",
      "",
    ],
    ["blocked", { found: found({ mark: own, blocked: "it is being deleted" }) }, "blocked", "it is being deleted"],
  ];
  it.each(cases)("with %s", (_, input, action, reason) => {
    expect(plan(input)).toMatchObject([{ name: "KEY", address: "prod/api/KEY", action, reason }]);
  });

  it("calls nothing seen that a target does not show", () => {
    expect(plan({ found: found({ mark: own }) })[0]?.isSeen).toBe(false);
    expect(plan({ found: found({ mark: own, value }) })[0]?.isSeen).toBe(true);
  });

  const left = { name: "OLD", mark: { address: "prod/api/OLD", fingerprint: own.fingerprint } };
  it.each([
    ["with our mark", { found: [left] }, ["left over"]],
    ["with our mark, told to prune", { found: [left], prunes: true }, ["remove"]],
    ["with a mark of a scope that the target does not have", { found: [{ ...left, mark: foreign }], prunes: true }, []],
    ["that another target of the policy has there", { found: [left], prunes: true, isClaimed: () => true }, []],
    ["that is being deleted already", { found: [{ ...left, blocked: "it is being deleted" }], prunes: true }, []],
    [
      "without a mark, where marks are kept, though in the receipt",
      { found: [{ name: "OLD" }], deployed: new Map([["OLD", own]]), prunes: true },
      [],
    ],
    [
      "in the receipt, where no marks are kept",
      { ...noMarks, found: [{ name: "OLD" }], deployed: new Map([["OLD", own]]), prunes: true },
      ["remove"],
    ],
    ["of somebody else, where no marks are kept", { ...noMarks, found: [{ name: "OLD" }], prunes: true }, []],
  ] as const)("what is not wanted %s", (_, input, actions) => {
    expect(plan({ wanted: [], ...input }).map(({ action }) => action)).toEqual(actions);
  });

  it("holds no value in what it gives", () => {
    const steps = plan({ found: [...found({ mark: own, value: otherValue }), left] });
    expect(JSON.stringify(steps)).not.toContain("plan-canary");
  });
});
