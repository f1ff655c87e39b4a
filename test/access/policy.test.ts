import { describe, expect, it } from "vitest";
import { findPolicy, loadPolicy } from "../../src/access/policy.ts";
import { generateIdentity } from "../../src/crypto/identity.ts";
import { fingerprintOf } from "../../src/crypto/recipient.ts";
import { memoryTree } from "./memory-tree.ts";

const alice = (await generateIdentity("x25519", (size) => Buffer.alloc(size, 1))).recipient.text;
const bob = (await generateIdentity("x25519", (size) => Buffer.alloc(size, 2))).recipient.text;

const good = `version: 3
members:
  alice: { roles: [boss] }
roles:
  boss: { admin: true, grants: [{ scopes: ["**"], allow: [read, write] }] }
`;

const findingsOf = async (files: Readonly<Record<string, string>>) =>
  (await findPolicy(memoryTree({ "policies/access.yaml": good, "policies/members/alice.pub": `${alice}\n`, ...files })))
    .findings;

describe("findPolicy", () => {
  it("accepts a policy in order and fills in what it leaves out", async () => {
    const { policy, findings } = await findPolicy(
      memoryTree({ "policies/access.yaml": good, "policies/members/alice.pub": `# me\n\n${alice}\r\n` }),
    );
    expect(findings).toEqual([]);
    expect(policy).toMatchObject({ version: 3, postQuantum: "prefer", signing: "off" });
    expect(policy?.members.get("alice")).toMatchObject({ kind: "person", recipients: [{ text: alice }] });
  });

  it.each<[string, string, number]>([
    ["version: 0", "version: 3", 1],
    ["version: 3\nversion: 4", "version: 3", 2],
    ["version: 3\nowner: x", "version: 3", 2],
    ["version: 3\nsigning: maybe", "version: 3", 2],
    ["  Alice: { roles: [boss] }", "  alice: { roles: [boss] }", 3],
    ["  alice: { roles: [] }", "  alice: { roles: [boss] }", 3],
    ["  alice: { roles: [boss], colour: red }", "  alice: { roles: [boss] }", 3],
    ["  alice: &a { roles: [boss] }", "  alice: { roles: [boss] }", 3],
    ["  alice: !!map { roles: [boss] }", "  alice: { roles: [boss] }", 3],
    ["  alice: { roles: [boss], github: a_b }", "  alice: { roles: [boss] }", 3],
    ['scopes: ["a**"]', 'scopes: ["**"]', 5],
    ["allow: [fly]", "allow: [read, write]", 5],
  ])("refuses %j on its line", async (written, instead, line) => {
    const text = good.replace(instead, written);
    expect(text).not.toBe(good);
    const findings = await findingsOf({ "policies/access.yaml": text });
    expect(findings).toMatchObject([{ rule: "policy-schema", severity: "error", line }]);
  });

  it.each([
    [
      "a member without a key file",
      { "policies/access.yaml": good.replace("roles:\n", "  zoe: { roles: [boss] }\nroles:\n") },
      "zoe has no key file",
    ],
    [
      "a role that is not defined",
      { "policies/access.yaml": good.replace("[boss]", "[chief]") },
      "the role chief, which is not defined",
    ],
    ["a key file of nobody", { "policies/members/bob.pub": `${bob}\n` }, "belongs to no member"],
    ["a key file without a recipient", { "policies/members/alice.pub": "# none\n" }, "has no recipient"],
    ["a recipient that stands there twice", { "policies/members/alice.pub": `${alice}\n${alice}\n` }, "twice"],
    [
      "one recipient of two",
      {
        "policies/access.yaml": good.replace("roles:\n", "  bob: { roles: [boss] }\nroles:\n"),
        "policies/members/bob.pub": `${alice}\n`,
      },
      "alice and bob have the same key",
    ],
    [
      "a removed member that came back",
      { "policies/access.yaml": `${good}removed: { alice: { version: 2, at: 2026-01-01 } }\n` },
      "was removed",
    ],
  ])("finds %s", async (_what, files, said) => {
    const findings = await findingsOf(files);
    expect(findings.map(({ message }) => message).join("\n")).toContain(said);
  });

  const two = good.replace("roles:\n", "  bob: { roles: [boss, dev] }\nroles:\n  dev: {}\n");
  const ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
  const access = (text: string) => ({ "policies/access.yaml": text });

  it.each<[string, Readonly<Record<string, string>>, string, number, RegExp]>([
    ["a role that is not defined", access(good.replace("[boss]", "[boss, chief]")), "policies/access.yaml", 3, /chief/],
    [
      "a policy without an admin",
      access(good.replace("admin: true, ", "")),
      "policies/access.yaml",
      2,
      /no member is an/,
    ],
    [
      "a member who was removed",
      access(`${good}removed:\n  alice: { version: 2, at: 2026-01-01 }\n`),
      "policies/access.yaml",
      3,
      /alice was removed on 2026-01-01, by version 2, and is back/,
    ],
    [
      "a recovery key that was removed",
      {
        ...access(`${good}removed: { safe: { version: 2, at: 2026-01-01 } }\nrecovery:\n  - safe\n`),
        "policies/members/safe.pub": `${bob}\n`,
      },
      "policies/access.yaml",
      8,
      /safe was removed/,
    ],
    ["a recovery key without a file", access(`${good}recovery: [safe]\n`), "policies/access.yaml", 6, /no key file/],
    [
      "a member that is a recovery key",
      access(`${good}recovery: [alice]\n`),
      "policies/access.yaml",
      6,
      /member and a/,
    ],
    [
      "a recovery key that stands there twice",
      { ...access(`${good}recovery:\n- safe\n- safe\n`), "policies/members/safe.pub": `${bob}\n` },
      "policies/access.yaml",
      8,
      /twice/,
    ],
    [
      "a key that was removed",
      {
        ...access(`${good}removed_keys: { ${fingerprintOf(bob)}: { member: bob, version: 2, at: 2026-01-01 } }\n`),
        "policies/members/alice.pub": `${alice}\n# old\n${bob}\n`,
      },
      "policies/members/alice.pub",
      3,
      /of bob was removed on 2026-01-01/,
    ],
    [
      "one signing key of two",
      {
        ...access(two),
        "policies/members/alice.pub": `${alice}\n# signing-key ${ssh}\n`,
        "policies/members/bob.pub": `\n${bob}\n\n# signing-key ${ssh} x\n`,
      },
      "policies/members/bob.pub",
      4,
      /alice and bob have the same key/,
    ],
  ])("finds %s, with file and line", async (_what, files, file, line, said) => {
    expect(await findingsOf(files)).toMatchObject([{ rule: "policy", severity: "error", file, line, message: said }]);
  });

  it("lets in a name and a key that were readmitted, and a role that grants nothing", async () => {
    const entry = (fields: string) => `{ ${fields}version: 2, at: 2026-01-01, readmitted: 3 }`;
    const gone = `removed: { bob: ${entry("")} }\nremoved_keys: { ${fingerprintOf(bob)}: ${entry("member: bob, ")} }\n`;
    expect(await findingsOf({ ...access(two + gone), "policies/members/bob.pub": `${bob}\n` })).toEqual([]);
  });

  it("takes a key file of nobody for harmless, also with a key that was removed", async () => {
    const gone = `removed_keys: { ${fingerprintOf(bob)}: { member: bob, version: 2, at: 2026-01-01 } }\n`;
    const files = { ...access(good + gone), "policies/members/bob.pub": `${bob}\n` };
    expect(await findingsOf(files)).toMatchObject([{ severity: "warning", file: "policies/members/bob.pub" }]);
    const tree = memoryTree({ "policies/members/alice.pub": `${alice}\n`, ...files });
    expect([...(await loadPolicy(tree)).members.keys()]).toEqual(["alice"]);
  });

  it("gives all findings, and repeats no line of a key file", async () => {
    const findings = await findingsOf({
      "policies/access.yaml": good.replace("[boss]", "[chief]"),
      "policies/members/alice.pub": `${alice}\nage1canary\nAGE-SECRET-KEY-CANARY\n`,
    });
    expect(findings.filter(({ rule }) => rule === "member-file").map(({ line }) => line)).toEqual([2, 3]);
    expect(findings).toHaveLength(3);
    expect(JSON.stringify(findings).toLowerCase()).not.toContain("canary");
  });

  it("throws the first finding with its line when the policy is needed", async () => {
    const tree = memoryTree({
      "policies/access.yaml": `${good}owner: x\n`,
      "policies/members/alice.pub": `${alice}\n`,
    });
    await expect(loadPolicy(tree)).rejects.toMatchObject({
      code: "E_POLICY_INVALID",
      line: 6,
      file: "policies/access.yaml",
    });
    await expect(loadPolicy(memoryTree({}))).rejects.toMatchObject({ code: "E_NOT_INITIALISED" });
  });
});
