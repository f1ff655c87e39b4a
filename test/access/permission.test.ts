import { describe, expect, it } from "vitest";
import { checkAdmin, checkAllowed, isAllowed, listReaders, toReaderList } from "../../src/access/permission.ts";
import { loadPolicy } from "../../src/access/policy.ts";
import { generateIdentity } from "../../src/crypto/identity.ts";
import { fingerprintOf } from "../../src/crypto/recipient.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { memoryTree } from "./memory-tree.ts";

const keys = await Promise.all(
  [1, 2, 3, 4, 5].map(
    async (fill) => (await generateIdentity("x25519", (size) => Buffer.alloc(size, fill))).recipient.text,
  ),
);
const policy = await loadPolicy(
  memoryTree({
    "policies/access.yaml": `version: 1
members:
  bob: { roles: [engineer, deployer] }
  alice: { roles: [boss] }
  guest: { roles: [nothing] }
roles:
  boss: { admin: true, grants: [{ scopes: ["**"], allow: [read, write, delete, rotate, deploy] }] }
  engineer: { grants: [{ scopes: ["**", "!prod/**"], allow: [read] }, { scopes: ["user/\${member}/**"], allow: [write] }] }
  deployer: { grants: [{ scopes: ["prod/web"], allow: [read, deploy] }] }
  nothing: {}
recovery: [vault]
`,
    "policies/members/alice.pub": `${keys[0] ?? ""}\n${keys[1] ?? ""}\n`,
    "policies/members/bob.pub": `${keys[2] ?? ""}\n`,
    "policies/members/guest.pub": `${keys[3] ?? ""}\n`,
    "policies/members/vault.pub": `${keys[4] ?? ""}\n`,
  }),
);

const member = (name: string) => policy.members.get(name) ?? expect.fail(`no member ${name}`);

describe("isAllowed", () => {
  it.each([
    ["alice", "delete", "prod/api", true],
    ["bob", "read", "dev/app", true],
    ["bob", "read", "prod/api", false],
    ["bob", "read", "prod/web", true],
    ["bob", "deploy", "prod/web", true],
    ["bob", "write", "prod/web", false],
    ["bob", "write", "user/bob/notes", true],
    ["bob", "write", "user/alice/notes", false],
    ["guest", "read", "dev/app", false],
  ] as const)("%s %s %s: %s", (name, action, scope, expected) => {
    expect(isAllowed(policy, member(name), action, parseScopePath(scope))).toBe(expected);
  });
});

describe("listReaders", () => {
  it("has every key of every reader and the recovery keys, by name and fingerprint", () => {
    const readers = listReaders(policy, parseScopePath("prod/web"));
    expect(readers.map(({ name }) => name)).toEqual(["alice", "alice", "bob", "vault"]);
    const own = [keys[0], keys[1]].map((text) => fingerprintOf(text ?? "")).sort();
    expect(toReaderList(readers).get("alice")).toEqual(own);
    expect(listReaders(policy, parseScopePath("prod/api")).map(({ name }) => name)).not.toContain("bob");
  });
});

describe("checkAllowed and checkAdmin", () => {
  it("refuse a member without the role, and nobody, with PERMISSION_DENIED", () => {
    const scope = parseScopePath("prod/api");
    expect(() => checkAllowed(policy, member("bob"), "read", scope)).toThrow(
      "PERMISSION_DENIED: bob (engineer, deployer) may not read in prod/api",
    );
    expect(() => checkAllowed(policy, undefined, "read", scope)).toThrow("PERMISSION_DENIED");
    expect(() => checkAdmin(policy, member("bob"))).toThrow("PERMISSION_DENIED");
    expect(() => checkAdmin(policy, undefined)).toThrow("PERMISSION_DENIED");
    expect(() => checkAdmin(policy, member("alice"))).not.toThrow();
  });
});
