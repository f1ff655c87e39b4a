import { createHash, createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import { describe, expect, it } from "vitest";
import { encodeBech32 } from "../../src/crypto/bech32.ts";
import { generateIdentity } from "../../src/crypto/identity.ts";
import { fingerprintOf, isPostQuantum, printRecipient } from "../../src/crypto/recipient.ts";
import { findPluginName, parseRecipient, recipientKey, sshKeyOf } from "../../src/crypto/parse-recipient.ts";
import { printWire } from "../../src/crypto/ssh-wire.ts";
import { SealtreeError } from "../../src/errors.ts";
import { ed25519TestKey, rsaTestKey } from "./ssh-keys.ts";

const seed = Buffer.from("sealtree test recipient, public!");
const classic = await generateIdentity("x25519", () => seed);
const hybrid = await generateIdentity("hybrid", () => seed);

function failureOf(text: string): SealtreeError {
  try {
    parseRecipient(text);
  } catch (error) {
    if (error instanceof SealtreeError) return error;
  }
  throw new Error("the recipient was accepted");
}

function littleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
}

describe("parseRecipient", () => {
  it("reads both kinds", () => {
    expect(parseRecipient(classic.recipient.text)).toEqual(classic.recipient);
    expect(parseRecipient(hybrid.recipient.text)).toEqual(hybrid.recipient);
    expect([classic.recipient.kind, hybrid.recipient.kind]).toEqual(["x25519", "hybrid"]);
    expect(hybrid.recipient.text.startsWith("age1pq1")).toBe(true);
  });

  it("gives the bytes it was printed from", () => {
    for (const kind of ["x25519", "hybrid"] as const) {
      const { text } = (kind === "hybrid" ? hybrid : classic).recipient;
      expect(printRecipient(kind, recipientKey({ kind, text })).text).toBe(text);
    }
  });

  it.each([
    classic.identity,
    hybrid.identity,
    classic.identity.toLowerCase(),
    ` ${classic.identity}`,
    "AGE-PLUGIN-TEST-1",
  ])("says that a private key is one, without repeating it", (text) => {
    const failure = failureOf(text);
    expect(failure.code).toBe("E_RECIPIENT_INVALID");
    expect(failure.message).toBe("this is a private key, not a recipient");
    expect(failure.hints.length).toBeGreaterThan(0);
    expect(JSON.stringify([failure.message, failure.hints])).not.toContain(text.trim().slice(0, 20));
  });

  it.each(["alice", "", "bc1qtest", encodeBech32("npub", seed)])("says which kinds there are for %j", (text) => {
    expect(failureOf(text).message).toMatch(/^that is not a recipient: age1/);
  });

  it.each(["yubikey", "tag", "a-b-c", "0"])("reads a recipient of the plugin %s", (name) => {
    const text = encodeBech32(`age1${name}`, Buffer.alloc(33, 2));
    expect(parseRecipient(text)).toEqual({ kind: "plugin", text });
    expect(findPluginName(text)).toBe(name);
  });

  it.each(["", "-a", "a-", "a.b", "a/b", "../a", "a".repeat(33)])("reads none of a plugin named %j", (name) => {
    const text = encodeBech32(`age1${name}`, Buffer.alloc(33, 2));
    expect(findPluginName(text)).toBeUndefined();
    expect(failureOf(text).code).toBe("E_RECIPIENT_INVALID");
  });

  it("reads SSH keys, and drops their comment", () => {
    for (const { publicKey } of [ed25519TestKey("recipient"), rsaTestKey()]) {
      const recipient = { kind: publicKey.type, text: publicKey.text };
      expect(parseRecipient(`${publicKey.text} alice@test`)).toEqual(recipient);
      expect(sshKeyOf(parseRecipient(publicKey.text))).toEqual(publicKey);
      expect(isPostQuantum(parseRecipient(publicKey.text))).toBe(false);
    }
  });

  it("refuses an SSH key that is cut, that only signs, or that nobody could have", () => {
    const { text } = ed25519TestKey("recipient").publicKey;
    const ecdsa = printWire(["ecdsa-sha2-nistp256", "nistp256", Buffer.alloc(65, 4)]);
    const noPoint = printWire(["ssh-ed25519", Buffer.alloc(32)]);
    expect(failureOf(text.slice(0, -4)).message).toBe("the SSH key is misspelt or cut short");
    expect(failureOf(`${text}\nssh-rsa`).message).toBe("the SSH key is misspelt or cut short");
    expect(failureOf(`ecdsa-sha2-nistp256 ${Buffer.from(ecdsa).toString("base64")}`).message).toContain("only signs");
    expect(failureOf(`ssh-ed25519 ${Buffer.from(noPoint).toString("base64")}`).message).toContain("is no point");
    expect(failureOf(rsaTestKey(1024).publicKey.text).message).toContain("1024 bits, fewer than 2048");
  });

  it.each([
    classic.recipient.text.slice(0, -1),
    `${classic.recipient.text} `,
    `${classic.recipient.text}\n`,
    hybrid.recipient.text.slice(0, 100),
    encodeBech32("age", seed.subarray(1)),
    encodeBech32("age1pq", Buffer.alloc(1215)),
  ])("refuses a misspelt or cut key", (text) => {
    const failure = failureOf(text);
    expect(failure.message).toBe("the recipient is misspelt or cut short");
    expect(JSON.stringify(failure.hints)).not.toContain(text.slice(4, 20));
  });

  it("refuses upper case, as age does", () => {
    expect(failureOf(classic.recipient.text.toUpperCase()).code).toBe("E_RECIPIENT_INVALID");
  });

  it("refuses points that X25519 turns into zero, and points in another form than their own", () => {
    const prime = 2n ** 255n - 19n;
    const order8 = [
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ].map((hex) => Buffer.from(hex, "hex"));
    const smallOrder = [littleEndian(0n), littleEndian(1n), littleEndian(prime - 1n), ...order8];
    const other = [
      littleEndian(prime),
      littleEndian(prime + 1n),
      littleEndian(2n ** 255n + 9n),
      littleEndian(2n ** 256n - 1n),
    ];
    const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b656e04220420", "hex"), seed]);
    const privateKey = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
    for (const point of smallOrder) {
      const spki = Buffer.concat([Buffer.from("302a300506032b656e032100", "hex"), point]);
      const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
      expect(() => diffieHellman({ privateKey, publicKey })).toThrow(Error);
    }
    for (const point of [...smallOrder, ...other]) {
      expect(() => parseRecipient(encodeBech32("age", point))).toThrow(SealtreeError);
      const key = Buffer.concat([recipientKey(hybrid.recipient).subarray(0, 1184), point]);
      expect(() => parseRecipient(encodeBech32("age1pq", key))).toThrow(SealtreeError);
    }
    expect(parseRecipient(encodeBech32("age", littleEndian(prime - 2n))).kind).toBe("x25519");
  });

  it("refuses a hybrid key with a coefficient that is no ML-KEM coefficient", () => {
    for (const [at, byte] of [
      [1, 0x0d],
      [2, 0xff],
      [1151, 0xff],
    ] as const) {
      const key = Buffer.from(recipientKey(hybrid.recipient));
      key.fill(0, at - (at % 3), at - (at % 3) + 3);
      key[at] = byte;
      key[at - (at % 3)] = 0x01;
      expect(() => parseRecipient(encodeBech32("age1pq", key))).toThrow(SealtreeError);
    }
  });
});

describe("fingerprintOf", () => {
  it("is the first 16 hex digits of SHA-256 of the text", () => {
    const text = "age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z";
    expect(fingerprintOf(text)).toBe(createHash("sha256").update(text).digest("hex").slice(0, 16));
    expect(fingerprintOf("")).toBe("e3b0c44298fc1c14");
  });
});
