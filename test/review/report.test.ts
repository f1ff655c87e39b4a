import { describe, expect, it } from "vitest";
import { printReviewHtml } from "../../src/cli/review-html.ts";
import { maxMarkdownChars, printReviewMarkdown } from "../../src/cli/review-markdown.ts";
import { toReviewPage } from "../../src/cli/review-page.ts";
import type { Policy } from "../../src/access/policy.ts";
import type { Recipient } from "../../src/crypto/recipient.ts";
import type { Report } from "../../src/review/report.ts";
import { compareAccess, type AccessSides } from "../../src/review/report-access.ts";
import { listScopeChanges, listSecretChanges } from "../../src/review/report-changes.ts";
import { compareFindings } from "../../src/review/report-findings.ts";
import { comparePolicies } from "../../src/review/report-policy.ts";
import { compareRotation, sayRuleChange } from "../../src/review/report-rotation.ts";
import type { ScopeSnapshot, SealedState, Snapshots } from "../../src/review/report-snapshot.ts";
import { judge, listReasons } from "../../src/review/report-verdict.ts";
import { sayAccess } from "../../src/review/report-words.ts";
import { dayMs } from "../../src/rotation/duration.ts";
import type { RotationPolicy } from "../../src/rotation/policy.ts";
import { parseScopePath, parseSecretName } from "../../src/secret/address.ts";
import type { Finding } from "../../src/store/finding.ts";

type Written = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Trees from scopes to names to `value generation`; a drop has no generation, `?` is a record that is not whole. */
function snapshots(
  written: Written,
  readers: Readonly<Record<string, readonly string[]>> = {},
  broken: readonly string[] = [],
): Snapshots {
  return new Map(
    Object.entries(written).map(([path, records]) => {
      const scope = parseScopePath(path);
      const allowed = new Set(readers[path] ?? []);
      const secrets = new Map(Object.entries(records).map(([name, text]) => [parseSecretName(name), state(text)]));
      const snapshot: ScopeSnapshot = {
        scope,
        entries: new Map(),
        secrets,
        isWhole: !broken.includes(path),
        allowed,
        openers: new Map([
          ["1", allowed],
          ["2", allowed],
        ]),
        anyOpener: allowed,
        knowers: new Map([["1", allowed]]),
        stale: [],
        overdue: [],
      };
      return [scope, snapshot];
    }),
  );
}

function state(text: string): SealedState {
  const [valueId, generation] = text.split(" ");
  const isWhole = valueId !== "?";
  const isDrop = isWhole && generation === undefined;
  return { valueId: isWhole ? valueId : undefined, generation, createdAt: 1, isDrop, record: text };
}

function changesOf(before: Written, after: Written, broken: readonly string[] = []): string[] {
  return listSecretChanges(listScopeChanges(snapshots(before), snapshots(after, {}, broken))).map(
    ({ kind, scope, name, from, isAdopted, isUnproven }) =>
      `${kind} ${scope}/${name}${from === undefined ? "" : ` from ${from.scope}/${from.name}`}${isAdopted ? " adopted" : ""}${isUnproven ? " unproven" : ""}`,
  );
}

describe("listScopeChanges", () => {
  it.each<[string, Written, Written, string[]]>([
    ["a new value", { a: { X: "v1 1" } }, { a: { X: "v2 1" } }, ["changed a/X"]],
    ["a value that is sealed again", { a: { X: "v1 1" } }, { a: { X: "v1 2" } }, ["resealed a/X"]],
    ["other bytes under one header", { a: { X: "v1 1 x" } }, { a: { X: "v1 1 y" } }, ["resealed a/X unproven"]],
    ["a drop that is adopted", { a: { X: "v1" } }, { a: { X: "v1 1" } }, ["resealed a/X adopted"]],
    ["a rename", { a: { X: "v1 1" } }, { a: { Y: "v1 1 y" } }, ["moved a/Y from a/X"]],
    [
      "a scope that moved",
      { a: { X: "v1 1", Y: "v2 1" } },
      { b: { X: "v1 2", Y: "v2 2" } },
      ["moved b/X from a/X", "moved b/Y from a/Y"],
    ],
    [
      "two that changed places",
      { a: { X: "v1 1", Y: "v2 1" } },
      { a: { X: "v2 1", Y: "v1 1" } },
      ["moved a/X from a/Y", "moved a/Y from a/X"],
    ],
    ["a copy", { a: { X: "v1 1" } }, { a: { X: "v1 1" }, b: { X: "v1 2" } }, ["copied b/X from a/X"]],
    [
      "one that moved to two places",
      { a: { X: "v1 1" } },
      { b: { X: "v1 2", Y: "v1 3" } },
      ["moved b/X from a/X", "copied b/Y from a/X"],
    ],
    ["a record that is not whole", { a: { X: "v1 1" } }, { a: { X: "? 1" } }, ["unreadable a/X"]],
    ["nothing", { a: { X: "v1 1" } }, { a: { X: "v1 1" } }, []],
  ])("knows %s", (_what, before, after, expected) => {
    expect(changesOf(before, after)).toEqual(expected);
  });

  it("says nothing of what is not seen in a file that cannot be read", () => {
    expect(changesOf({ a: { X: "v1 1", Y: "v2 1" } }, { a: { Y: "v3 1" } }, ["a"])).toEqual(["changed a/Y"]);
  });
});

describe("compareAccess", () => {
  const policyOf = (names: readonly string[]) =>
    ({
      members: new Map(names.map((name) => [name, { name, kind: "person" }])),
      recovery: new Map(),
    }) as unknown as Policy;
  type Readers = Readonly<Record<string, readonly string[]>>;
  const sidesOf = (before: Written, old: Readers, after: Written, now: Readers): AccessSides => ({
    before: snapshots(before, old),
    after: snapshots(after, now),
    oldPolicy: policyOf(["alice", "bob"]),
    newPolicy: policyOf(["alice", "bob"]),
    oldReadersOf: (scope) => new Set(old[scope]),
    newReadersOf: (scope) => new Set(now[scope]),
  });

  it("counts a new value for nobody who could read its scope before", () => {
    const readers = { a: ["alice"] };
    expect(compareAccess(sidesOf({ a: { X: "v1 1" } }, readers, { a: { X: "v2 1", Y: "v3 1" } }, readers))).toEqual([]);
  });

  it("counts a value that moves to more readers", () => {
    const readers = { a: ["alice"], b: ["alice", "bob"] };
    const [bob, ...others] = compareAccess(sidesOf({ a: { X: "v1 1" } }, readers, { b: { X: "v1 1" } }, readers));
    expect(others).toEqual([]);
    expect(bob === undefined ? [] : sayAccess(bob)).toEqual(["bob gains 1 value in 1 scope: b"]);
  });

  it("says scopes by name while they are few, and else by how they begin, so that none is hidden", () => {
    const told = (...scopes: string[]) => {
      const before = Object.fromEntries(scopes.map((scope) => [scope, { X: "v1 1", Y: "v2 1" }]));
      const readers = (...names: string[]) => Object.fromEntries(scopes.map((scope) => [scope, names]));
      const [bob] = compareAccess(sidesOf(before, readers("alice"), before, readers("alice", "bob")));
      return bob === undefined ? [] : sayAccess(bob);
    };
    const six = ["a", "b", "c", "d", "e", "f"];
    expect(told("prod/b", "dev/z", "prod/a")).toEqual(["bob gains 6 values in 3 scopes: dev/z, prod/a, prod/b"]);
    expect(told(...six.map((name) => `prod/${name}`))).toEqual(["bob gains 12 values in 6 scopes of prod"]);
    const mixed = told(...six.map((name) => `dev/${name}`), "prod/api", "shared/dns", "shared/ca");
    expect(mixed).toEqual(["bob gains 18 values in 9 scopes: 6 of dev, prod/api, 2 of shared"]);
  });

  it("tells what is still known from what was rotated", () => {
    const before = { a: { X: "v1 1", Y: "v2 1" } };
    const after = { a: { X: "v1 2", Y: "v3 2" } };
    const [bob] = compareAccess(sidesOf(before, { a: ["alice", "bob"] }, after, { a: ["alice"] }));
    expect(bob).toMatchObject({ name: "bob", stillKnown: new Map([["a", 1]]) });
    expect(bob?.byPolicy?.lost).toEqual(new Map([["a", 2]]));
  });
});

describe("compareFindings", () => {
  const finding = (message: string, line = 1, file = "a.yaml"): Finding => ({
    rule: "r",
    severity: "error",
    message,
    file,
    line,
  });

  it("takes a line that moved, a number that grew and a list that got shorter for no news", () => {
    const before = [finding("overdue: A (3 days old), B (4 days old)")];
    const { new: fresh, fixed, remaining } = compareFindings(before, [finding("overdue: B (1 day old)", 7)]);
    expect({ fresh, fixed, remaining: remaining.length }).toEqual({ fresh: [], fixed: [], remaining: 1 });
  });

  it("takes another name, another file and a higher severity for news", () => {
    const before = [finding("overdue: A")];
    for (const after of [finding("overdue: A, B"), finding("overdue: A", 1, "b.yaml")])
      expect(compareFindings(before, [after]).new).toEqual([after]);
    expect(compareFindings([{ ...finding("x"), severity: "warning" }], [finding("x")])).toMatchObject({
      new: [{}],
      fixed: [{}],
    });
  });
});

describe("comparePolicies", () => {
  const [one, two] = ["00", "01"].map((byte) => Buffer.from(byte.repeat(32), "hex"));
  const key = (bytes = one) => ({ text: `test ${bytes?.toString("hex") ?? ""}` }) as unknown as Recipient;
  const member = (name: string, roles: readonly string[], keys = [key()]) =>
    ({ name, kind: "person", github: undefined, roles, recipients: keys, signingKeys: [] }) as const;
  const base: Policy = {
    version: 1,
    postQuantum: "prefer",
    signing: "require",
    members: new Map([
      ["alice", member("alice", ["admin"])],
      ["bob", member("bob", ["reader"])],
    ]),
    roles: new Map([
      ["admin", { isAdmin: true, grants: [] }],
      ["reader", { isAdmin: false, grants: [{ scopes: ["dev/**"], allow: ["read"] }] }],
    ]),
    recovery: new Map(),
    removed: new Map(),
    removedKeys: new Map(),
  };
  const said = (change: Partial<Policy>) =>
    comparePolicies(base, { ...base, ...change }).map(({ level, text }) => `${level}: ${text}`);

  it("says in words what somebody may do more, and what they may not any more", () => {
    expect(
      said({
        members: new Map([
          ["alice", member("alice", ["admin"])],
          ["bob", member("bob", ["admin"])],
        ]),
      }),
    ).toEqual([
      "attention: bob gets the role admin",
      "note: bob loses the role reader",
      "attention: bob may now change the policy",
    ]);
    expect(said({ members: new Map([["alice", member("alice", ["admin"])]]), version: 2 })).toEqual([
      "note: bob leaves (reader)",
      "note: the version goes from 1 to 2",
    ]);
    expect(said({ signing: "off", postQuantum: "require" })).toEqual([
      "note: post_quantum goes from prefer to require",
      "attention: signing goes from require to off",
    ]);
    expect(
      said({
        roles: new Map([...base.roles, ["reader", { isAdmin: false, grants: [{ scopes: ["**"], allow: ["read"] }] }]]),
      }),
    ).toEqual(["attention: the role reader may now read in **", "note: the role reader may no longer read in dev/**"]);
  });

  it("does not miss a key that is added to a name that stays", () => {
    const [first, ...others] = said({
      members: new Map([...base.members, ["bob", member("bob", ["reader"], [key(), key(two)])]]),
    });
    expect(first).toMatch(/^attention: bob gets another key that reads: [0-9a-f]{16}$/);
    expect(others).toEqual([]);
  });

  it("says who is let in again", () => {
    const removed = new Map([["eve", { version: 1, at: "2026-01-01", readmitted: 2 }]]);
    expect(said({ removed })).toEqual(["attention: eve was removed, and is let in again"]);
  });
});

describe("compareRotation", () => {
  it("knows a rule that asks for less", () => {
    const policy = (interval: number | "never"): RotationPolicy => ({
      defaults: {},
      types: new Map(),
      secrets: new Map([["a/X", { interval }]]),
    });
    const [change] = compareRotation(policy(90 * dayMs), policy("never"), new Map());
    expect(change?.isWeaker).toBe(true);
    expect(change === undefined ? "" : sayRuleChange(change)).toBe("a/X: the interval goes from 90 days to never");
    expect(compareRotation(policy("never"), policy(90 * dayMs), new Map())[0]?.isWeaker).toBe(false);
    expect(compareRotation(policy("never"), undefined, snapshots({ a: { X: "v1 1" } }))).toMatchObject([
      { kind: "removed", isWeaker: true },
    ]);
  });
});

describe("a report", () => {
  const facts = (secrets: number, authors = 1): Report => {
    const many = Object.fromEntries(
      Array.from({ length: Math.ceil(secrets / 50) }, (_, scope) => [
        `prod/scope-${scope}`,
        Object.fromEntries(Array.from({ length: 50 }, (_unused, name) => [`NAME_${name}`, `v${scope}-${name} 1`])),
      ]),
    );
    const commit = (index: number) => ({
      commit: index.toString(16).padStart(40, "0"),
      parents: [],
      author: { name: `author ${index} `.repeat(50), email: "" },
      at: "2026-01-01T00:00:00Z",
      subject: "s".repeat(1000),
      trailer: "manual",
      changes: [],
    });
    const report = {
      base: "0".repeat(40),
      isBaseClear: true,
      head: undefined,
      scopes: listScopeChanges(new Map(), snapshots(many)),
      access: [],
      policy: [],
      rotation: [],
      files: [],
      findings: { new: [], fixed: [], remaining: [] },
      overdue: 0,
      stale: 0,
      commits: Array.from({ length: authors }, (_, index) => commit(index)),
      verification: { state: "skipped" as const, why: "test", level: undefined },
      deep: undefined,
      warnings: [],
      originOf: () => ({ commit: commit(1), earlier: undefined, rotation: undefined }),
    };
    const reasons = listReasons(report);
    return { ...report, reasons, verdict: judge(reasons) };
  };

  it.each([0, 15, 200, 5000, 10_000])("of %i secrets fits into a comment, and says so when it is cut", (secrets) => {
    const report = facts(secrets, Math.max(1, secrets / 10));
    const text = printReviewMarkdown(report, toReviewPage(report));
    expect(text.length).toBeLessThanOrEqual(maxMarkdownChars);
    expect(text.includes("shows all")).toBe(secrets >= 5000);
    expect(text.split("<details>").length).toBe(text.split("</details>").length);
    expect(text).toContain("No value is shown.");
  });

  it("as a page has all of it, loads nothing and runs nothing", () => {
    const report = facts(5000);
    const text = printReviewHtml(report, toReviewPage(report));
    expect(text.match(/prod\/scope-\d+\/NAME_/g)).toHaveLength(5000);
    expect(text).toContain("default-src 'none'");
    expect(text).not.toMatch(/<script|src=|href=|url\(/);
  });
});
