import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { mergePolicy } from "../../src/history/merge-policy.ts";
import type { MergedContent, Side } from "../../src/history/merged-content.ts";
import { accessPolicyPath, rotationPolicyPath } from "../../src/store/layout.ts";

const start = `# Who may do what.
version: 3 # raise it

signing: off

members:
  # the boss
  alice: { roles: [boss] }
  bob: { roles: [engineer] } # since May

# What roles are for.
roles:
  boss:
    admin: true
    grants:
      - { scopes: ["**"], allow: [read, write] }
  engineer:
    grants:
      - { scopes: ["dev/**"], allow: [read] }
recovery: [vault]
`;

type Edits = readonly (readonly [string, string])[];

function edit(edits: Edits, text = start): string {
  return edits.reduce((edited, [from, to]) => {
    if (!edited.includes(from)) throw new Error(`there is no ${from}`);
    return edited.replace(from, to);
  }, text);
}

const raise = (to: number): Edits => [["version: 3", `version: ${to}`]];

function merge(ours: string, theirs: string, base: string | undefined = start, choose?: Side): MergedContent {
  const bytes = (text: string) => Buffer.from(text);
  const sides = { base: base === undefined ? undefined : bytes(base), ours: bytes(ours), theirs: bytes(theirs) };
  return mergePolicy(accessPolicyPath, sides, () => choose);
}

function textOf(merged: MergedContent): string {
  if (merged.kind === "unmerged" || merged.text === undefined) throw new Error(JSON.stringify(merged));
  return merged.text;
}

const addCarol: Edits = [["  bob:", "  # the third\n  carol: { roles: [engineer], github: carol }\n  bob:"]];
const addDan: Edits = [["# since May\n", "# since May\n  dan:\n    roles: [engineer] # new\n"]];

describe("mergePolicy", () => {
  it("joins members, roles and recovery names of both sides, keeps our comments and counts on", () => {
    const ours = edit([...raise(4), ...addCarol, ["[vault]", "[vault, safe]"]]);
    const theirs = edit([...raise(5), ...addDan, ["signing: off", "signing: warn"], ["[vault]", "[deep-vault]"]]);
    const merged = merge(ours, theirs);
    expect(merged.kind).toBe("merged");
    expect(textOf(merged)).toBe(
      edit([
        ["version: 3", "version: 6"],
        ["signing: off", "signing: warn"],
        ...addCarol,
        ["# since May\n", "# since May\n  dan:\n    roles: [engineer] # new\n"],
        ["[vault]", "[safe, deep-vault]"],
      ]),
    );
  });

  it.each([
    ["only ours raised it", edit([...raise(4), ...addCarol]), edit(addDan), 4],
    ["only theirs raised it", edit(addCarol), edit([...raise(7), ...addDan]), 7],
    ["both raised it alike", edit([...raise(4), ...addCarol]), edit([...raise(4), ...addDan]), 5],
    [
      "both did the same",
      edit([...raise(4), ...addCarol]),
      edit([...raise(4), ...addCarol, ["# the third", "# 3"]]),
      4,
    ],
    ["neither raised it", edit(addCarol), edit(addDan), 3],
  ] as const)("gives the version when %s", (_what, ours, theirs, version) => {
    expect(parse(textOf(merge(ours, theirs))).version).toBe(version);
    expect(parse(textOf(merge(theirs, ours))).version).toBe(version);
  });

  it("takes an entry as theirs writes it, with the comments above it, and a removal", () => {
    const grants = '      - { scopes: ["dev/**"], allow: [read] }\n';
    const role = `  # may look\n  analyst:\n    grants:\n      - scopes: ["dev/**"] # all\n        allow: [read]\n`;
    const theirs = edit([
      [grants, `${grants}${role}`],
      ["  bob: { roles: [engineer] } # since May\n", ""],
      ["    admin: true\n", "    admin: true # still\n"],
    ]);
    expect(textOf(merge(edit(addCarol), theirs))).toBe(
      edit([...addCarol, [grants, `${grants}${role}`], ["  bob: { roles: [engineer] } # since May\n", ""]]),
    );
  });

  it("marks the member that both changed, and only it", () => {
    const merged = merge(
      edit([...raise(4), ["[engineer] } # since May", "[boss] } # since May"], ...addCarol]),
      edit([...raise(4), ["[engineer] } # since May", "[engineer, boss] }"], ["signing: off", "signing: warn"]]),
    );
    expect(merged).toMatchObject({
      kind: "conflict",
      clashes: [{ name: "members.bob", what: "was changed on both sides", hasMarkers: true }],
    });
    expect(textOf(merged)).toBe(
      edit([
        ["version: 3", "version: 5"],
        ["signing: off", "signing: warn"],
        ...addCarol,
        [
          "  bob: { roles: [engineer] } # since May\n",
          "<<<<<<< ours\n  bob: { roles: [boss] } # since May\n=======\n  bob: { roles: [engineer, boss] }\n>>>>>>> theirs\n",
        ],
      ]),
    );
  });

  it("marks a member that one side removed, at the end of the members", () => {
    const bob = "  bob: { roles: [engineer] } # since May\n";
    const merged = merge(edit([[bob, ""]]), edit([["[engineer] } #", "[boss] } #"]]));
    expect(textOf(merged)).toBe(
      edit([[bob, "<<<<<<< ours\n=======\n  bob: { roles: [boss] } # since May\n>>>>>>> theirs\n"]]),
    );
    expect(textOf(merge(edit([["[engineer] } #", "[boss] } #"]]), edit([[bob, ""]])))).toContain(
      "<<<<<<< ours\n  bob: { roles: [boss] } # since May\n=======\n>>>>>>> theirs\n",
    );
  });

  it("marks the map where an entry has no lines of its own, both times with what merged", () => {
    const flow =
      "version: 3\nmembers: { alice: { roles: [boss] }, bob: { roles: [a] } }\nroles: { boss: { admin: true } }\n";
    const merged = merge(
      flow.replace("[a]", "[b]").replace("alice:", "zoe: { roles: [boss] }, alice:"),
      flow.replace("[a]", "[c]"),
      flow,
    );
    expect(textOf(merged)).toBe(
      "version: 3\n<<<<<<< ours\nmembers: { zoe: { roles: [boss] }, alice: { roles: [boss] }, bob: { roles: [b] } }\n=======\nmembers: { zoe: { roles: [boss] }, alice: { roles: [boss] }, bob: { roles: [ c ] } }\n>>>>>>> theirs\nroles: { boss: { admin: true } }\n".replace(
        "[ c ]",
        "[c]",
      ),
    );
    const line = "{version: 3, members: {a: {roles: [x]}}, roles: {x: {admin: true}}}\n";
    expect(merge(line.replace("[x]", "[y]"), line.replace("[x]", "[z]"), line)).toMatchObject({ kind: "unmerged" });
  });

  it("joins grants that both added to a role, and takes one away; one that both rewrote is a conflict", () => {
    const own = '{ scopes: ["dev/**"], allow: [read] }';
    const added = (scope: string): Edits => [
      [`- ${own}\n`, `- ${own}\n      - { scopes: ["${scope}"], allow: [read] }\n`],
    ];
    const { roles } = parse(
      textOf(merge(edit(added("qa/**")), edit([...added("staging/**"), [`- ${own}\n      `, ""]]))),
    );
    const { grants } = roles.engineer as { grants: { scopes: string[] }[] };
    expect(grants.map(({ scopes }) => scopes[0])).toEqual(["qa/**", "staging/**"]);
    const rewritten = merge(edit([["dev/**", "qa/**"]]), edit([["dev/**", "staging/**"]]));
    expect(rewritten).toMatchObject({ kind: "conflict", clashes: [{ name: "roles.engineer" }] });
  });

  it("joins what was removed: nothing leaves the list, and the first removal stands", () => {
    const removed = (entries: string) => `${start}removed:\n${entries}`;
    const bob = "  bob: { version: 4, at: 2026-01-02 }\n";
    const eve = "  eve: { version: 2, at: 2025-01-01 }\n";
    const both = merge(
      removed(eve + bob),
      removed(eve.replace("2025", "2024") + bob.replace("-02", "-01")),
      removed(""),
    );
    expect(parse(textOf(both)).removed).toEqual({
      eve: { version: 2, at: "2024-01-01" },
      bob: { version: 4, at: "2026-01-01" },
    });
    expect(parse(textOf(merge(start, removed(eve), removed(eve)))).removed).toEqual(
      parse(eve) && { eve: parse(eve).eve },
    );
    expect(parse(textOf(merge(removed(bob), start, removed(eve)))).removed).toEqual({
      bob: { version: 4, at: "2026-01-02" },
      eve: { version: 2, at: "2025-01-01" },
    });
    const back = removed(eve.replace(" }", ", readmitted: 5 }"));
    expect(textOf(merge(back, removed(eve), removed(eve)))).toBe(back);
    expect(merge(back, removed(eve.replace("2025", "2026")), removed(eve))).toMatchObject({
      kind: "conflict",
      clashes: [{ name: "removed.eve" }],
    });
  });

  it("stops at a merge that says what neither side does", () => {
    const merged = merge(
      edit([
        ["  bob: { roles: [engineer] } # since May\n", ""],
        [/ {2}engineer:\n.*\n.*\n/.exec(start)?.[0] ?? "", ""],
      ]),
      edit([...addCarol]),
    );
    expect(merged).toMatchObject({
      kind: "conflict",
      clashes: [{ what: "do not fit: carol has the role engineer, which is not defined", hasMarkers: false }],
    });
    expect(textOf(merged)).not.toContain("<<<<");
  });

  it("takes the side that is chosen for each conflict", () => {
    const [ours, theirs] = [
      edit([
        ["since May", "x"],
        ["[engineer]", "[boss]"],
      ]),
      edit([
        ["[engineer]", "[a, boss]"],
        ["  boss:", "  a: {}\n  boss:"],
      ]),
    ];
    expect(parse(textOf(merge(ours, theirs, start, "ours"))).members.bob).toEqual({ roles: ["boss"] });
    expect(parse(textOf(merge(ours, theirs, start, "theirs"))).members.bob).toEqual({ roles: ["a", "boss"] });
  });

  it("takes no side of an entry whose bases are in conflict, unless both have it alike", () => {
    const of = (role: string) => edit([["[engineer] } # since May", `[${role}] }`]]);
    const conflicted = textOf(merge(of("boss"), of("boss, engineer")));
    expect(merge(of("boss"), of("boss, engineer"), conflicted)).toMatchObject({ clashes: [{ name: "members.bob" }] });
    expect(merge(of("engineer"), of("engineer"), conflicted).kind).toBe("merged");
  });

  it("takes a base that is not there for an empty policy", () => {
    expect(merge(start, edit([["signing: off", "signing: warn"]]), "")).toMatchObject({
      clashes: [{ name: "signing" }],
    });
  });

  it("merges rotation rules by secret, and stops at a type that is gone", () => {
    const rules = "types:\n  a: { interval: 90d }\n  b: { interval: 30d }\nsecrets:\n  dev/app/A: { type: a }\n";
    const mergeRules = (ours: string, theirs: string) => {
      const [base, mine, yours] = [rules, ours, theirs].map((text) => Buffer.from(text));
      return mergePolicy(rotationPolicyPath, { base, ours: mine, theirs: yours });
    };
    const added = `${rules}  dev/app/B: { type: b, rollback: false }\n`;
    const changed = rules.replace("A: { type: a }", "A: { type: a, notice: 3d } # soon");
    expect(textOf(mergeRules(changed, added))).toBe(`${changed}  dev/app/B: { type: b, rollback: false }\n`);
    expect(mergeRules(rules.replace("  b: { interval: 30d }\n", ""), added)).toMatchObject({
      kind: "conflict",
      clashes: [{ what: "do not fit: dev/app/B has the type b, which is not defined" }],
    });
    expect(mergeRules(changed, rules.replace("type: a", "type: b"))).toMatchObject({
      clashes: [{ name: "secrets.dev/app/A" }],
    });
  });

  it("says the line of a side that is no policy, and nothing of it", () => {
    expect(() => merge(start, `${start}canary: *x\n`)).toThrow(/^their side: policies\/access\.yaml:21: (?!.*canary)/);
  });
});

describe("a policy with hundreds of entries", () => {
  const count = 300;
  const list = (prefix: string, days: number) =>
    Array.from({ length: count }, (_, index) => `  dev/app/${prefix}${index}: { interval: ${days}d }\n`).join("");
  const flow = (prefix: string, days: number) =>
    Array.from({ length: count }, (_, index) => `dev/app/${prefix}${index}: { interval: ${days}d }`).join(", ");
  const mergeRules = (...texts: [string, string, string]) => {
    const [base, ours, theirs] = texts.map((text) => Buffer.from(text));
    return mergePolicy(rotationPolicyPath, { base, ours, theirs });
  };

  it("merges when each was changed, in lines and in braces", () => {
    const base = `secrets:\n${list("A", 1)}`;
    expect(textOf(mergeRules(base, `${base}  dev/app/Z: {}\n`, `secrets:\n${list("A", 2)}${list("B", 1)}`))).toBe(
      `secrets:\n${list("A", 2)}  dev/app/Z: {}\n${list("B", 1)}`,
    );
    const braces = mergeRules(
      `secrets: { ${flow("A", 1)} }\n`,
      `defaults: {}\nsecrets: { ${flow("A", 1)} }\n`,
      `secrets: { ${flow("A", 2)} }\n`,
    );
    expect(parse(textOf(braces)).secrets["dev/app/A7"]).toEqual({ interval: "2d" });
  });

  it("marks each that both changed", () => {
    const merged = mergeRules(`secrets:\n${list("A", 1)}`, `secrets:\n${list("A", 2)}`, `secrets:\n${list("A", 3)}`);
    expect(merged).toMatchObject({ kind: "conflict", clashes: { length: count } });
    expect(textOf(merged).match(/^<{7} ours$/gm)).toHaveLength(count);
  });
});
