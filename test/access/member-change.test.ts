import { describe, expect, it } from "vitest";
import type { CommittedPolicy } from "../../src/access/committed-policy.ts";
import { planMember, type MemberRequest } from "../../src/access/member-change.ts";
import { findPolicy } from "../../src/access/policy.ts";
import { generateIdentity } from "../../src/crypto/identity.ts";
import { parseRecipient } from "../../src/crypto/parse-recipient.ts";
import { applyTo, memoryTree } from "./memory-tree.ts";

const age = async (byte: number) =>
  (await generateIdentity("x25519", (size) => Buffer.alloc(size, byte))).recipient.text;
const [alice, bob] = [await age(1), await age(2)];
const ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";

const start = {
  "policies/access.yaml": `version: 3 # as it is
members:
  alice: { roles: [boss] } # me
roles:
  boss: { admin: true }
`,
  "policies/members/alice.pub": `${alice}\n`,
};

const request = (given: Partial<MemberRequest>): MemberRequest => ({
  name: "bob",
  keys: { recipients: [parseRecipient(bob)], signingKeys: [], sshKeys: [] },
  roles: ["boss"],
  github: undefined,
  kind: "person",
  readmit: false,
  ...given,
});
const sshOnly = { recipients: [], signingKeys: [], sshKeys: [ssh] };

async function committedOf(files: Readonly<Record<string, string>>): Promise<CommittedPolicy> {
  return { policy: (await findPolicy(memoryTree(files))).policy, changed: [], unstaged: [] };
}

async function plan(files: Readonly<Record<string, string>>, given: Partial<MemberRequest>, head = start) {
  return await planMember(memoryTree(files), request(given), await committedOf(head));
}

describe("planMember", () => {
  it("leaves at each point in between what a second run ends, with one version more in all", async () => {
    const { files, isNew } = await plan(start, {});
    expect([isNew, files.map(({ path }) => path)]).toEqual([
      true,
      ["policies/members/bob.pub", "policies/access.yaml"],
    ]);
    const half = applyTo(start, files.slice(0, 1));
    const done = applyTo(start, files);
    expect(applyTo(half, (await plan(half, {})).files)).toEqual(done);
    expect(await plan(done, {})).toMatchObject({ files: [], isChanged: true, isNew: false });
    expect(done["policies/access.yaml"]).toBe(
      start["policies/access.yaml"]
        .replace("version: 3", "version: 4")
        .replace("# me\n", "# me\n  bob: { roles: [boss] }\n"),
    );
    const committed = await planMember(memoryTree(done), request({}), await committedOf(done));
    expect(committed).toMatchObject({ files: [], isChanged: false });
  });

  it("does the same for a key of a member there is, the policy first", async () => {
    const more = { name: "alice", roles: [] };
    const { files } = await plan(start, more);
    expect(files.map(({ path }) => path)).toEqual(["policies/access.yaml", "policies/members/alice.pub"]);
    const half = applyTo(start, files.slice(0, 1));
    expect(applyTo(half, (await plan(half, more)).files)).toEqual(applyTo(start, files));
  });

  it("raises a version by one that was raised by hand already and is not committed, and not by two", async () => {
    const edited = {
      ...start,
      "policies/access.yaml": start["policies/access.yaml"].replace("version: 3", "version: 4"),
    };
    expect((await plan(edited, {})).policy.version).toBe(4);
  });

  it("writes where keys come from above them", async () => {
    const { files } = await plan(start, { keys: sshOnly, origin: "from github.com/bob, 2026-11-22" });
    expect(files[0]?.bytes).toBe(`# from github.com/bob, 2026-11-22\n${ssh}\n`);
  });

  it("refuses an SSH key to read with where post-quantum keys are required, and says the way out", async () => {
    const required = { ...start, "policies/access.yaml": `post_quantum: require\n${start["policies/access.yaml"]}` };
    await expect(plan(required, { keys: sshOnly })).rejects.toMatchObject({
      code: "E_RECIPIENTS_MIXED",
      hints: expect.arrayContaining([expect.stringContaining("then that one only signs")]),
    });
  });
});
