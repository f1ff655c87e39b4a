import { describe, expect, it } from "vitest";
import { generateIdentity } from "../../src/crypto/identity.ts";
import { findIdentities, loadIdentities } from "../../src/identity/load.ts";

const home = { HOME: "/nonexistent", SEALTREE_SSH_KEY: "off" };
const made = async () => await generateIdentity("x25519", (size) => new Uint8Array(size).fill(7));

describe("SEALTREE_IDENTITY as somebody pasted it", () => {
  it("may begin with a byte order mark, and have blanks at the ends of its lines", async () => {
    const { identity, recipient } = await made();
    const text = `\uFEFF# test key \t\r\n${identity} \t\r\n  \n`;
    const { identities } = await loadIdentities({ env: { ...home, SEALTREE_IDENTITY: text } });
    expect(await identities[0]?.recipients()).toEqual([recipient]);
  });

  it.each([" \n", "\uFEFF"])("is not set when it is %j", async (text) => {
    const { sources } = await findIdentities({ env: { ...home, SEALTREE_IDENTITY: text } });
    expect(sources[0]).toMatchObject({ place: "SEALTREE_IDENTITY", outcome: "not set" });
  });

  it("is taken as it is in all else", async () => {
    const { identity } = await made();
    const { sources } = await findIdentities({ env: { ...home, SEALTREE_IDENTITY: ` ${identity}` } });
    expect(sources[0]).toMatchObject({ isBroken: true, outcome: "line 1 of the identity file is not an identity" });
  });

  it("is said to be a public key when it is one", async () => {
    const { recipient } = await made();
    for (const text of [recipient.text, "ssh-ed25519 AAAA test"]) {
      const { sources } = await findIdentities({ env: { ...home, SEALTREE_IDENTITY: text } });
      expect(sources[0]?.outcome).toBe("line 1 of the identity file is not an identity but a public key");
    }
  });

  it("is explained in a job by what the job lacks", async () => {
    const fail = async (env: Readonly<Record<string, string>>) =>
      await loadIdentities({ env: { ...home, ...env } }).catch((error: unknown) => error);
    expect(await fail({ GITHUB_ACTIONS: "true" })).toMatchObject({
      code: "E_NO_IDENTITY",
      hints: expect.arrayContaining([
        "the job has the environment's secrets only when it names it: environment: NAME",
      ]) as string[],
    });
    expect(JSON.stringify(await fail({}))).not.toContain("environment");
  });
});
