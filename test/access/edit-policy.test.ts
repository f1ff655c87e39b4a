import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  addMemberEntry,
  addRecoveryName,
  editPolicy,
  noteRemovedKey,
  noteRemovedName,
  readmit,
  removeMemberEntry,
  setGithub,
  setMemberRoles,
  setVersion,
  type PolicyEdit,
} from "../../src/access/edit-policy.ts";
import type { Policy } from "../../src/access/policy.ts";

const zoe = { name: "zoe", kind: "person", github: undefined, roles: ["boss"] } as const;

/** A policy of which only what was removed matters. */
function policyOf(written: Pick<Written, "removed" | "removed_keys">): Pick<Policy, "removed" | "removedKeys"> {
  return {
    removed: new Map(Object.entries(written.removed ?? {})),
    removedKeys: new Map(Object.entries(written.removed_keys ?? {})),
  };
}

describe("addMemberEntry", () => {
  it.each([
    [
      "members:\n  alice: { roles: [boss] }  # me\n\n# roles\nroles: {}\n",
      "members:\n  alice: { roles: [boss] }  # me\n  zoe: { roles: [boss] }\n\n# roles\nroles: {}\n",
    ],
    [
      "members:\n    alice:\n        roles:\n            - boss # the boss\n        github: alice\nroles: {}",
      "members:\n    alice:\n        roles:\n            - boss # the boss\n        github: alice\n    zoe: { roles: [boss] }\nroles: {}",
    ],
    [
      "roles: {}\nmembers:\n  alice: { roles: [boss] }",
      "roles: {}\nmembers:\n  alice: { roles: [boss] }\n  zoe: { roles: [boss] }\n",
    ],
    ["members: {} # nobody\nroles: {}\n", "members: { zoe: { roles: [boss] } } # nobody\nroles: {}\n"],
    [
      "{members: {alice: {roles: [boss]}}, roles: {}}\n",
      "{members: {alice: {roles: [boss]}, zoe: { roles: [boss] }}, roles: {}}\n",
    ],
  ])("adds to %j and changes no other byte", (before, after) => {
    expect(editPolicy(before, addMemberEntry(zoe))).toBe(after);
  });

  it("writes names that YAML takes for something else so that they stay text", () => {
    const odd = { name: "null", kind: "machine", github: "123", roles: ["true", "y"] } as const;
    expect(parse(editPolicy("members:\n  alice: { roles: [boss] }\n", addMemberEntry(odd)))).toEqual({
      members: { alice: { roles: ["boss"] }, null: { kind: "machine", github: "123", roles: ["true", "y"] } },
    });
  });
});

describe("removeMemberEntry", () => {
  it.each([
    [
      "members:\n  # the first\n  alice: { roles: [boss] }\n  # a guest\n  bob: # short\n    roles: [boss] # why\n  # end\nroles: {}\n",
      "members:\n  # the first\n  alice: { roles: [boss] }\n  # a guest\n  # end\nroles: {}\n",
    ],
    ["members: { alice: { roles: [boss] }, bob: {} }\n", "members: { alice: { roles: [boss] } }\n"],
    ["members: { bob: {}, alice: { roles: [boss] } }\n", "members: { alice: { roles: [boss] } }\n"],
    ["members:\n  bob: {}\n# roles\nroles: {}\n", "members: {}\n# roles\nroles: {}\n"],
  ])("takes the entry out of %j with the comment on its line and no other", (before, after) => {
    expect(editPolicy(before, removeMemberEntry("bob"))).toBe(after);
  });
});

describe("setMemberRoles", () => {
  it.each([
    ["members: { bob: { roles: [boss, dev] } }\n", "members: { bob: { roles: [dev, ops] } }\n"],
    [
      "members:\n  bob:\n    roles:\n      - boss # once\n      # really\n      - dev # now\n    github: bob\n",
      "members:\n  bob:\n    roles:\n      # really\n      - dev # now\n      - ops\n    github: bob\n",
    ],
  ])("keeps the place of roles that stay in %j", (before, after) => {
    expect(editPolicy(before, setMemberRoles("bob", ["boss", "dev"], ["ops", "dev"]))).toBe(after);
  });
});

describe("what was removed", () => {
  const start = "version: 3\nmembers: {}\n# the end";
  const gone = { version: 4, at: "2026-11-22" };

  it("goes to the end of the file, and further entries below the last", () => {
    const once = editPolicy(start, noteRemovedName(policyOf({}), "bob", gone));
    expect(once).toBe(`${start}\n\nremoved:\n  bob: { version: 4, at: 2026-11-22 }\n`);
    const twice = editPolicy(once, noteRemovedName(policyOf(parse(once)), "carol", { ...gone, version: 5 }));
    expect(twice).toBe(`${once}  carol: { version: 5, at: 2026-11-22 }\n`);
  });

  it("is readmitted and removed again in its place", () => {
    const fingerprint = "0123456789012345";
    const key = { ...gone, member: "bob" };
    const out = editPolicy(start, noteRemovedKey(policyOf({}), fingerprint, key));
    const back = editPolicy(out, readmit("removed_keys", fingerprint, 6));
    expect(parse(back).removed_keys).toEqual({ [fingerprint]: { ...key, readmitted: 6 } });
    const again = editPolicy(back, noteRemovedKey(policyOf(parse(back)), fingerprint, { ...key, version: 9 }));
    expect(again).toBe(out.replace("version: 4", "version: 9"));
  });
});

describe("setVersion", () => {
  it("changes the version and no other byte", () => {
    const noise = fc
      .string({ unit: fc.constantFrom("a", "#", " ", "é", "\u{1f511}", "-") })
      .map((text) => `# ${text}\n`);
    fc.assert(
      fc.property(noise, noise, fc.nat(), fc.nat(), (before, after, from, to) => {
        const around = (version: number) => `${before}members: {}\nversion: ${version}   ${after}roles: {}\n`;
        expect(editPolicy(around(from), setVersion(to))).toBe(around(to));
      }),
    );
  });
});

interface Written {
  version: number;
  members: Record<string, { kind?: string; github?: string; roles: string[] }>;
  roles: Record<string, unknown>;
  recovery?: string[];
  removed?: Record<string, { version: number; at: string; readmitted?: number }>;
  removed_keys?: Record<string, { member: string; version: number; at: string; readmitted?: number }>;
}

describe("a sequence of edits", () => {
  const names = ["alice", "bob", "null", "carol"];
  const keys = ["00112233445566aa", "0123456789012345", "12345678901e2345"];
  const roles = ["boss", "dev", "on"];
  const starts = [
    `# top\nversion: 1 # one\n\nmembers: # who\n  # first\n  alice: { roles: [boss] }\n  # second\n  bob:\n    # inside\n    roles:\n      - dev\n      - on\n\n# what\nroles: {}\n# end\n`,
    `# top\nroles: {} # what\nremoved: # gone\n  # long ago\n  dora: { version: 1, at: 2026-01-01 }\nversion: 1\nrecovery: [] # none\nmembers: { alice: { roles: [boss] } }\n`,
    `{"version": 1, "members": {"alice": {"roles": ["boss"]}}, "roles": {}}\n`,
  ];
  const step = fc.record({
    kind: fc.constantFrom("add", "remove", "roles", "github", "recovery", "name", "key", "readmit"),
    name: fc.constantFrom(...names),
    key: fc.constantFrom(...keys),
    roles: fc.uniqueArray(fc.constantFrom(...roles), { minLength: 1 }),
  });

  it("keeps the comments and gives the data that is meant", () => {
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.array(step, { maxLength: 12 }), (start, steps) => {
        let text = start;
        let gone = false;
        const model = parse(start) as Written;
        for (const { kind, name, key, roles: wanted } of steps) {
          model.version += 1;
          const at = { version: model.version, at: "2026-11-22" };
          const present = model.members[name];
          const edits: PolicyEdit[] = [setVersion(model.version)];
          if (kind === "add" && present === undefined) {
            model.members[name] = { kind: "machine", roles: wanted };
            edits.push(addMemberEntry({ name, kind: "machine", github: undefined, roles: wanted }));
          } else if (kind === "remove" && present !== undefined) {
            // The comment within the entry goes with it.
            gone ||= name === "bob";
            delete model.members[name];
            edits.push(removeMemberEntry(name));
          } else if (kind === "roles" && present !== undefined) {
            edits.push(setMemberRoles(name, present.roles, wanted));
            const kept = present.roles.filter((role) => wanted.includes(role));
            present.roles = [...kept, ...wanted.filter((role) => !kept.includes(role))];
          } else if (kind === "github" && present !== undefined) {
            present.github = `hub-${key}`;
            edits.push(setGithub(name, present.github));
          } else if (kind === "recovery" && model.recovery?.includes(name) !== true) {
            model.recovery = [...(model.recovery ?? []), name];
            edits.push(addRecoveryName(name));
          } else if (kind === "name") {
            edits.push(noteRemovedName(policyOf(model), name, at));
            model.removed = { ...model.removed, [name]: at };
          } else if (kind === "key") {
            edits.push(noteRemovedKey(policyOf(model), key, { ...at, member: name }));
            model.removed_keys = { ...model.removed_keys, [key]: { ...at, member: name } };
          } else if (kind === "readmit") {
            const entry = model.removed?.[name];
            if (entry !== undefined) {
              entry.readmitted = model.version;
              edits.push(readmit("removed", name, model.version));
            }
          }
          text = editPolicy(text, ...edits);
          expect(parse(text)).toEqual(model);
        }
        const comments = start.match(/# .*/g) ?? [];
        const kept = comments.filter((comment) => comment !== "# inside" || !gone);
        for (const comment of kept) expect(text).toContain(comment);
      }),
      { numRuns: 150 },
    );
  });
});
