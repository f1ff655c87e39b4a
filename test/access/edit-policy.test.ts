import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { addPolicyMember, setPolicyVersion } from "../../src/access/edit-policy.ts";

const zoe = { name: "zoe", kind: "person", github: undefined, roles: ["boss"] } as const;

describe("addPolicyMember", () => {
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
    ["members: {}\nroles: {}\n", "members:\n  zoe: { roles: [ boss ] }\nroles: {}\n"],
  ])("adds a line after the last member of %j", (before, after) => {
    expect(addPolicyMember(before, zoe)).toBe(after);
  });

  it("writes names that YAML takes for something else so that they stay text", () => {
    const text = addPolicyMember("members:\n  alice: { roles: [boss] }\n", {
      name: "null",
      kind: "machine",
      github: "123",
      roles: ["true", "y"],
    });
    expect(parse(text)).toEqual({
      members: { alice: { roles: ["boss"] }, null: { kind: "machine", github: "123", roles: ["true", "y"] } },
    });
  });
});

describe("setPolicyVersion", () => {
  it("changes the version and no other byte", () => {
    const noise = fc
      .string({ unit: fc.constantFrom("a", "#", " ", "é", "\u{1f511}", "-") })
      .map((text) => `# ${text}\n`);
    fc.assert(
      fc.property(noise, noise, fc.nat(), fc.nat(), (before, after, from, to) => {
        const around = (version: number) => `${before}members: {}\nversion: ${version}   ${after}roles: {}\n`;
        expect(setPolicyVersion(around(from), to)).toBe(around(to));
      }),
    );
  });
});
