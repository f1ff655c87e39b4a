import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { decryptWithIdentities, listStanzas } from "../../src/crypto/age.ts";
import { encryptToRecipients } from "../../src/crypto/age-encrypt.ts";
import { fileKeyBytes, sealAgeFile } from "../../src/crypto/age-file.ts";
import { encodeBech32 } from "../../src/crypto/bech32.ts";
import { generateIdentity, parseIdentities } from "../../src/crypto/identity.ts";
import { isPostQuantum } from "../../src/crypto/recipient.ts";
import { parseRecipient } from "../../src/crypto/parse-recipient.ts";
import { createPluginHost } from "../../src/identity/plugins.ts";
import { installTestPlugin, testPluginKey } from "../support/test-plugin.ts";

const plugin = installTestPlugin();
const env = {
  ...plugin.env,
  SEALTREE_PLUGINS: "sealtreetest",
  AGE_PASSPHRASE: "a test passphrase",
  AGE_PASSPHRASE_WORK_FACTOR: "10",
};
const host = createPluginHost(env);
const plaintext = Buffer.from("a page of test text\n");
const key = testPluginKey("real");
const keyFile = join(dirname(plugin.folder), "key");
writeFileSync(keyFile, `# recipient: ${key.recipient}\n${key.identity}\n`, { mode: 0o600 });

/** The identity of a plugin that needs to be told nothing, as `age -j NAME` makes it. */
function bareIdentity(name: string): string {
  return encodeBech32(`age-plugin-${name}-`, new Uint8Array(0)).toUpperCase();
}

/** Runs one program of .tools/bin with the plugins in PATH; throws when it fails. */
function run(program: string, args: readonly string[], input: Uint8Array | string): Buffer {
  const path = fileURLToPath(new URL(`../../.tools/bin/${program}`, import.meta.url));
  const { status, stdout, stderr, error } = spawnSync(path, args, { input, env });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} gave ${String(status)}: ${stderr.toString()}`);
  return stdout;
}

async function open(file: string | Uint8Array, identity: string) {
  const opened = await decryptWithIdentities(
    file,
    parseIdentities(identity, async () => host),
  );
  return opened?.plaintext.toString();
}

describe.each(["age", "rage"])("%s with the test plugin", (program) => {
  it("opens what we sealed for it and for others", async () => {
    const { recipient } = await generateIdentity("x25519");
    const recipients = [recipient, parseRecipient(key.recipient)];
    const file = await encryptToRecipients(recipients, plaintext, "refused", async () => host);
    expect(run(program, ["-d", "-i", keyFile], file)).toEqual(plaintext);
  });

  it("seals what we open", async () => {
    const { recipient } = await generateIdentity("x25519");
    const file = run(program, ["-r", recipient.text, "-r", key.recipient], plaintext);
    expect(await open(file, key.identity)).toBe(plaintext.toString());
    expect(await open(file, testPluginKey("stranger").identity)).toBeUndefined();
  });
});

describe("age-plugin-batchpass", () => {
  const identity = bareIdentity("batchpass");

  it("opens for us what age sealed with it", async () => {
    const file = run("age", ["-e", "-j", "batchpass"], plaintext);
    expect(listStanzas(file)).toEqual(["scrypt"]);
    expect(await open(file, identity)).toBe(plaintext.toString());
  });

  it("seals for us what age opens with it", async () => {
    const fileKey = Buffer.alloc(fileKeyBytes, "test file key");
    const stanza = await host.wrapFileKey(identity, fileKey);
    expect(stanza.labels).toHaveLength(1);
    const file = sealAgeFile([stanza], fileKey, plaintext);
    expect(run("age", ["-d", "-j", "batchpass"], file)).toEqual(plaintext);
  });

  it("says that a passphrase is wrong", async () => {
    const file = run("age", ["-e", "-j", "batchpass"], plaintext);
    const other = createPluginHost({ ...env, AGE_PASSPHRASE: "another test passphrase" });
    const identities = parseIdentities(identity, async () => other);
    await expect(decryptWithIdentities(file, identities)).rejects.toMatchObject({
      code: "E_PLUGIN_FAILED",
      message: "age-plugin-batchpass: incorrect passphrase",
    });
  });
});

describe("age-plugin-tagtest", () => {
  const identity = bareIdentity("tagtest");
  const classic = parseRecipient("age1tag1qwe0kafsjrar4txm6heqnhpfuggzr0gvznz7fvygxrlq90u5mq2pysxtw6h");

  const hybrid = parseRecipient(readFileSync(new URL("age1tagpq.txt", import.meta.url), "utf8").trim());

  it.each([
    { recipient: classic, type: "p256tag" },
    { recipient: hybrid, type: "mlkem768p256tag" },
  ])("opens for age and for us what we sealed without a plugin: $type", async ({ recipient, type }) => {
    const file = await encryptToRecipients([recipient], plaintext, "refused");
    expect(listStanzas(file)).toEqual([type]);
    expect(run("age", ["-d", "-j", "tagtest"], file)).toEqual(plaintext);
    expect(await open(file, identity)).toBe(plaintext.toString());
  });

  it("opens for us what age sealed for a tagged recipient", async () => {
    for (const { text } of [classic, hybrid]) {
      expect(await open(run("age", ["-r", text], plaintext), identity)).toBe(plaintext.toString());
    }
    expect([classic, hybrid].map(isPostQuantum)).toEqual([false, true]);
  });
});
