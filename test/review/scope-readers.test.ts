import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listReaders } from "../../src/access/permission.ts";
import type { Grant, Policy } from "../../src/access/policy.ts";
import { fingerprintOf } from "../../src/crypto/recipient.ts";
import { createReaderLookup } from "../../src/review/scope-readers.ts";
import { parseScopePath } from "../../src/secret/address.ts";

const names = ["alice", "bob", "ci"];
const roles = ["admin", "dev", "ops"];
const pattern = fc.constantFrom(
  "**",
  "prod/**",
  "!prod/**",
  "dev/*",
  "!dev/app",
  "user/${member}/**",
  "!user/**",
  "*/app",
);
const grant: fc.Arbitrary<Grant> = fc.record({
  scopes: fc.array(pattern, { minLength: 1, maxLength: 3 }),
  allow: fc.subarray(["read", "write"] as const, { minLength: 1 }),
});
const policy: fc.Arbitrary<Policy> = fc
  .record({
    members: fc.array(fc.subarray(roles, { minLength: 1 }), { minLength: names.length, maxLength: names.length }),
    grants: fc.array(fc.array(grant, { maxLength: 2 }), { minLength: roles.length, maxLength: roles.length }),
  })
  .map(({ members, grants }) => ({
    version: 1,
    postQuantum: "off",
    signing: "off",
    members: new Map(
      names.map((name, index) => [
        name,
        {
          name,
          kind: "person",
          github: undefined,
          roles: members[index] ?? [],
          recipients: [{ kind: "x25519", text: `test key of ${name}` }],
          signingKeys: [],
        },
      ]),
    ),
    roles: new Map(roles.map((role, index) => [role, { isAdmin: false, grants: grants[index] ?? [] }])),
    recovery: new Map([["recovery", [{ kind: "x25519", text: "test key of recovery" }]]]),
    removed: new Map(),
    removedKeys: new Map(),
  }));
const scopes = ["prod/app", "prod/web/x", "dev/app", "dev/web", "user/alice/x", "user/bob/x", "app"].map(
  parseScopePath,
);

describe("createReaderLookup", () => {
  it("gives the readers that listReaders gives, for any policy and scope", () => {
    fc.assert(
      fc.property(policy, (random) => {
        const readersOf = createReaderLookup(random);
        for (const scope of scopes) {
          const { readers, members } = readersOf(scope);
          expect(readers).toEqual(listReaders(random, scope));
          expect(members).toEqual(readers.map(({ name }) => name).filter((name) => random.members.has(name)));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("shares the readers of scopes that the same grants cover", () => {
    const [random] = fc.sample(policy, 1);
    if (random === undefined) throw new Error("no sample");
    const readersOf = createReaderLookup(random);
    expect(readersOf(parseScopePath("dev/a"))).toBe(readersOf(parseScopePath("dev/b")));
    expect(readersOf(parseScopePath("dev/a")).readers.at(-1)?.fingerprint).toBe(fingerprintOf("test key of recovery"));
  });
});
