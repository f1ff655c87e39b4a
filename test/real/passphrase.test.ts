import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { decryptWithIdentities } from "../../src/crypto/age.ts";
import { encryptToRecipients } from "../../src/crypto/age-encrypt.ts";
import { openWithPassphrase, sealWithPassphrase } from "../../src/crypto/age-passphrase.ts";
import { generateIdentity } from "../../src/crypto/identity.ts";
import { loadIdentities } from "../../src/identity/load.ts";

const program = fileURLToPath(new URL("../../.tools/bin/age", import.meta.url));
const passphrase = "test passphrase, public";

/** Runs age with age-plugin-batchpass, which takes the passphrase from its environment. */
function age(args: readonly string[], input: Uint8Array | string): Buffer {
  const env = { ...process.env, AGE_PASSPHRASE: passphrase };
  const { status, stdout, stderr } = spawnSync(program, [...args, "-j", "batchpass"], { input, env });
  if (status !== 0) throw new Error(`age gave ${String(status)}: ${stderr.toString()}`);
  return stdout;
}

describe("age", () => {
  it("opens a passphrase-encrypted file that we sealed", async () => {
    const sealed = await sealWithPassphrase(Buffer.from("a page of test text"), passphrase);
    expect(age(["-d"], sealed).toString()).toBe("a page of test text");
  });

  it("seals one that we open", async () => {
    const sealed = age(["-e"], "a page of test text");
    const opened = await openWithPassphrase(sealed, passphrase, 1 << 20);
    expect(Buffer.from(opened ?? []).toString()).toBe("a page of test text");
  });

  it("makes an encrypted identity that opens what is sealed to it", async () => {
    const { identity, recipient } = await generateIdentity("x25519");
    const sealed = age(["-e", "-a"], `# a comment\n${identity}\n`).toString();
    const { identities } = await loadIdentities({
      env: { SEALTREE_IDENTITY: sealed, HOME: "/nonexistent" },
      askPassphrase: async () => passphrase,
    });
    const file = await encryptToRecipients([recipient], Buffer.from("opened"), "refused");
    expect(Buffer.from((await decryptWithIdentities(file, identities))?.plaintext ?? []).toString()).toBe("opened");
  });
});
