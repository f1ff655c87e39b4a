import { generateKeyPairSync } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LockedSshKey, SshKeyPair } from "../../src/crypto/ssh-key-pair.ts";
import { looksLikeSshKey, parseSshPrivateKey } from "../../src/crypto/ssh-private-key.ts";
import { printWire } from "../../src/crypto/ssh-wire.ts";
import { hasCode, type SealtreeError } from "../../src/errors.ts";
import { ed25519TestKey, type FileOptions, opensshFile, pemBlock, rsaTestKey, type TestSshKey } from "./ssh-keys.ts";

const ed25519 = ed25519TestKey("private");
const other = ed25519TestKey("other");
const rsa = rsaTestKey();
const keys = [
  ["ssh-ed25519", ed25519],
  ["ssh-rsa", rsa],
] as const;
const passphrase = "correct test passphrase";
const ciphers = [128, 192, 256].flatMap((bits) => [`aes${bits}-ctr`, `aes${bits}-cbc`, `aes${bits}-gcm@openssh.com`]);
const pkcs8 = { format: "pem", type: "pkcs8" } as const;
const damaged = "KEY is damaged, or no SSH private key";

function plain(text: string): SshKeyPair {
  const key = parseSshPrivateKey(text, "KEY");
  if ("isLocked" in key) throw new Error("the key is locked");
  return key;
}

function locked(text: string): LockedSshKey {
  const key = parseSshPrivateKey(text, "KEY");
  if (!("isLocked" in key)) throw new Error("the key is not locked");
  return key;
}

function failureOf(text: string): SealtreeError {
  try {
    parseSshPrivateKey(text, "KEY");
  } catch (error) {
    if (hasCode(error, "E_IDENTITY_INVALID")) return error;
    throw error;
  }
  throw new Error("the key was accepted");
}

/** A key whose private fields are `fields`, under the public half of `key`. */
function withFields(key: TestSshKey, fields: readonly (string | Uint8Array)[]): TestSshKey {
  return { ...key, privateFields: printWire(fields) };
}

describe("parseSshPrivateKey on files of OpenSSH", () => {
  it.each(keys)("reads a %s key", async (kind, key) => {
    const pair = plain(await opensshFile(key));
    expect(pair.kind).toBe(kind);
    expect(pair.publicKey).toEqual(key.publicKey);
  });

  it.each(ciphers)("reads a key under %s with its passphrase, and tells the public half before", async (cipher) => {
    const key = locked(await opensshFile(ed25519, { cipher, passphrase, rounds: 2 }));
    expect(key.publicKey).toEqual(ed25519.publicKey);
    expect(await key.unlock("wrong test passphrase")).toBeUndefined();
    expect(await key.unlock("")).toBeUndefined();
    expect((await key.unlock(passphrase))?.publicKey).toEqual(ed25519.publicKey);
  });

  it("reads an encrypted RSA key, and a passphrase outside ASCII", async () => {
    const key = locked(await opensshFile(rsa, { cipher: "aes256-ctr", passphrase: "pässwörd ✓ test" }));
    expect((await key.unlock("pässwörd ✓ test"))?.publicKey).toEqual(rsa.publicKey);
  });

  it("takes CRLF and white space around the file", async () => {
    const text = await opensshFile(ed25519);
    expect(plain(`\n  ${text.replaceAll("\n", "\r\n")}\r\n\n`).publicKey).toEqual(ed25519.publicKey);
  });

  it.each<[string, FileOptions]>([
    ["two check numbers that differ", { checks: [7, 8] }],
    ["padding that does not count", { padding: Buffer.of(1, 2, 4) }],
    ["padding that begins with 0", { padding: Buffer.of(0, 1, 2) }],
    ["a length that is no whole block", { padding: Buffer.of(1, 2) }],
    ["two keys", { keyCount: 2 }],
    ["no key", { keyCount: 0 }],
    ["bytes behind it", { trailing: Buffer.of(0) }],
    ["another public half", { publicBlob: other.publicKey.blob }],
    ["a public half of another type", { publicBlob: rsa.publicKey.blob }],
    ["a public half that is none", { publicBlob: Buffer.from("none") }],
    ["a key derivation without a cipher", { kdf: "bcrypt" }],
    ["zero rounds", { cipher: "aes256-ctr", passphrase, rounds: 0 }],
    ["a tag too much", { cipher: "aes256-ctr", passphrase, trailing: Buffer.alloc(16) }],
    ["a tag that is long", { cipher: "aes256-gcm@openssh.com", passphrase, trailing: Buffer.of(0) }],
  ])("refuses %s", async (_, options) => {
    expect(failureOf(await opensshFile(ed25519, { ...options, rounds: options.rounds ?? 1 })).message).toBe(damaged);
  });

  it.each<[string, FileOptions]>([
    ["another cipher", { cipher: "chacha20-poly1305@openssh.com", passphrase }],
    ["a cipher that every object has", { cipher: "constructor", passphrase }],
    ["another key derivation", { cipher: "aes256-ctr", passphrase, kdf: "scrypt" }],
    ["a million rounds", { cipher: "aes256-ctr", passphrase, rounds: 1_000_000 }],
  ])("says how to save a key anew that has %s", async (_, options) => {
    const failure = failureOf(await opensshFile(ed25519, options));
    expect(failure.message).toBe("KEY is encrypted in a way that cannot be opened here");
    expect(failure.hints.join()).toContain("ssh-keygen -p");
  });

  it("refuses private halves that are not those of the public half", async () => {
    const point = ed25519.publicKey.blob.subarray(-32);
    const seed = Buffer.alloc(32, 3);
    for (const fields of [
      ["ssh-ed25519", point, Buffer.concat([seed, point])],
      ["ssh-ed25519", point, seed],
      ["ssh-ed25519", point.subarray(1), Buffer.concat([seed, point])],
      ["ssh-rsa", point, Buffer.concat([seed, point])],
      ["ssh-dss", point],
      [],
    ]) {
      expect(failureOf(await opensshFile(withFields(ed25519, fields))).message).toBe(damaged);
    }
  });

  it("refuses RSA numbers that do not belong together", async () => {
    const bytes = Buffer.from(rsa.privateFields);
    for (let at = 300; at < bytes.length; at += 97) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(failureOf(await opensshFile({ ...rsa, privateFields: changed })).message).toBe(damaged);
    }
    const one = Buffer.of(1);
    expect(failureOf(await opensshFile(withFields(rsa, ["ssh-rsa", one, one, one, one, one, one]))).message).toBe(
      damaged,
    );
  });

  it("refuses every change and cut of a file, or reads the same key", async () => {
    const text = await opensshFile(ed25519);
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.nat(3), fc.string({ maxLength: 4 }), async (at, skip, put) => {
        const changed = text.slice(0, at) + put + text.slice(at + skip);
        try {
          const key = parseSshPrivateKey(changed, "KEY");
          expect(key.publicKey).toEqual(ed25519.publicKey);
        } catch (error) {
          if (!hasCode(error, "E_IDENTITY_INVALID")) throw error;
          expect(error.message.length).toBeLessThan(100);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("survives any bytes behind the magic", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom("none", "bcrypt"))), (fields) => {
        const bytes = Buffer.concat([Buffer.from("openssh-key-v1\0"), printWire(fields)]);
        expect(failureOf(pemBlock("OPENSSH PRIVATE KEY", bytes)).code).toBe("E_IDENTITY_INVALID");
      }),
      { numRuns: 100 },
    );
  });
});

describe("parseSshPrivateKey on PEM files", () => {
  it.each(keys)("reads PKCS#8 with a %s key", (kind, key) => {
    const pair = plain(key.keyObject.export(pkcs8).toString());
    expect([pair.kind, pair.publicKey]).toEqual([kind, key.publicKey]);
  });

  it.each(keys)("reads encrypted PKCS#8 with a %s key", async (_, key) => {
    const key8 = locked(key.keyObject.export({ ...pkcs8, cipher: "aes-256-cbc", passphrase }).toString());
    expect(key8.publicKey).toBeUndefined();
    expect(key8.kinds).toEqual(["ssh-ed25519", "ssh-rsa"]);
    expect(await key8.unlock("wrong test passphrase")).toBeUndefined();
    expect(await key8.unlock("")).toBeUndefined();
    expect(await key8.unlock("x".repeat(5000))).toBeUndefined();
    expect((await key8.unlock(passphrase))?.publicKey).toEqual(key.publicKey);
  });

  it("reads PKCS#1, and PKCS#1 behind a passphrase", async () => {
    const pkcs1 = { format: "pem", type: "pkcs1" } as const;
    expect(plain(rsa.keyObject.export(pkcs1).toString()).publicKey).toEqual(rsa.publicKey);
    const text = rsa.keyObject.export({ ...pkcs1, cipher: "aes-128-cbc", passphrase }).toString();
    expect(text).toContain("Proc-Type: 4,ENCRYPTED");
    expect(locked(text).kinds).toEqual(["ssh-rsa"]);
    expect(await locked(text).unlock("wrong test passphrase")).toBeUndefined();
    expect((await locked(text).unlock(passphrase))?.publicKey).toEqual(rsa.publicKey);
  });

  it("takes a wrong passphrase for one also when the padding fits by chance", async () => {
    const bytes = Buffer.from(
      "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgrntgh6YZrkAICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEAxmwRmaWLtn75x65S8JSKkEQENBQVQZ6lCqaxjn7FsCLiNFyZjO6IMveLMTbR7s0yGGAEhgKcb5DOZ801WmVZbW0C0Jp0YCn0BTbjyYT9ueeEU=",
      "base64",
    );
    const key = locked(pemBlock("ENCRYPTED PRIVATE KEY", bytes));
    expect(await key.unlock("wrong test passphrase 114")).toBeUndefined();
    expect((await key.unlock(passphrase))?.kind).toBe("ssh-ed25519");
  });

  it("says that a form of encryption is unknown, not that the passphrase is wrong", async () => {
    const text = rsa.keyObject.export({ format: "pem", type: "pkcs1", cipher: "aes-128-cbc", passphrase }).toString();
    const key = locked(text.replace("AES-128-CBC", "AES-999-CBC"));
    await expect(key.unlock(passphrase)).rejects.toMatchObject({
      message: "KEY is encrypted in a way that cannot be opened here",
    });
  });

  it.each([
    ["ec", "holds a key of type ECDSA, which age cannot use"],
    ["x25519", "holds a key of a type that age cannot use"],
  ] as const)("refuses a key of type %s", (type, message) => {
    const { privateKey } =
      type === "ec" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("x25519");
    expect(failureOf(privateKey.export(pkcs8).toString()).message).toBe(`KEY ${message}`);
    expect(failureOf(pemBlock("DSA PRIVATE KEY", Buffer.of(0x30, 0))).message).toContain("of type DSA");
    if (type !== "ec") return;
    expect(failureOf(privateKey.export({ format: "pem", type: "sec1" }).toString()).message).toBe(`KEY ${message}`);
  });

  it("refuses DER with more behind it, and other blocks", () => {
    const der = ed25519.keyObject.export({ format: "der", type: "pkcs8" });
    expect(plain(pemBlock("PRIVATE KEY", der)).publicKey).toEqual(ed25519.publicKey);
    for (const [label, bytes] of [
      ["PRIVATE KEY", Buffer.concat([der, Buffer.of(0)])],
      ["PRIVATE KEY", der.subarray(0, -1)],
      ["PUBLIC KEY", der],
      ["CERTIFICATE", der],
      ["PRIVATE KEY", Buffer.of(0x30)],
      ["PRIVATE KEY", Buffer.of(0x30, 0x82)],
      ["PRIVATE KEY", Buffer.of(0x30, 0x80, 0, 0)],
      ["ENCRYPTED PRIVATE KEY", Buffer.of(0x31, 0)],
    ] as const) {
      expect(failureOf(pemBlock(label, bytes)).message).toBe(damaged);
    }
  });

  it("survives any sequence", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.constantFrom("PRIVATE KEY", "RSA PRIVATE KEY"),
        (bytes, label) => {
          const der = Buffer.concat([Buffer.of(0x30, bytes.length), bytes]);
          expect(failureOf(pemBlock(label, der)).message).toBe(damaged);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("parseSshPrivateKey on other things", () => {
  it("refuses RSA keys under 2048 bits, in every form", async () => {
    const short = rsaTestKey(1024);
    const message = "KEY cannot be used: the key has 1024 bits, fewer than 2048";
    expect(failureOf(await opensshFile(short)).message).toBe(message);
    expect(failureOf(short.keyObject.export(pkcs8).toString()).message).toBe(message);
    const encrypted = locked(short.keyObject.export({ ...pkcs8, cipher: "aes-256-cbc", passphrase }).toString());
    await expect(encrypted.unlock(passphrase)).rejects.toMatchObject({ message });
  });

  it.each([
    [
      "sk-ssh-ed25519@openssh.com",
      [Buffer.alloc(32, 1), "ssh:"],
      "KEY belongs to a security key, which signs and cannot decrypt",
    ],
    ["ecdsa-sha2-nistp256", ["nistp256", Buffer.alloc(65, 4)], "KEY holds a key of type ECDSA, which age cannot use"],
    ["ssh-dss", ["p", "q", "g", "y"], "KEY holds a key of type DSA, which age cannot use"],
  ] as const)("says why a key of type %s is of no use", async (type, fields, message) => {
    const publicBlob = printWire([type, ...fields]);
    const failure = failureOf(await opensshFile(ed25519, { publicBlob, cipher: "aes256-ctr", passphrase }));
    expect(failure.message).toBe(message);
    expect(failure.hints.length).toBeGreaterThan(0);
  });

  it.each([
    ["PuTTY-User-Key-File-3: ssh-ed25519\n", "puttygen"],
    ["---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n", "puttygen"],
    [`${ed25519.publicKey.text} alice@test\n`, "without .pub"],
  ])("has a hint for %j", (text, hint) => {
    expect(failureOf(text).hints.join()).toContain(hint);
    expect(looksLikeSshKey(text)).toBe(true);
  });

  it("refuses what is too large, and other text", async () => {
    const text = await opensshFile(ed25519);
    expect(failureOf(text.replace("\n", `\n${"A".repeat(16_384)}\n`)).message).toContain("too large");
    for (const other of [
      "",
      "text",
      "-----BEGIN",
      `${text}${text}`,
      `x${text}`,
      text.replace("END OPENSSH", "END RSA"),
    ]) {
      expect(failureOf(other).message).toBe(damaged);
    }
  });

  it("repeats nothing of what it read", async () => {
    const text = await opensshFile(ed25519, { checks: [1, 2] });
    const failure = failureOf(text);
    const said = JSON.stringify([failure.message, failure.hints, String(failure.cause)]);
    for (const line of text.split("\n").slice(1, -2)) expect(said).not.toContain(line.slice(0, 16));
  });
});

describe("looksLikeSshKey", () => {
  it("is true for private keys and what is mistaken for them, and false for age", async () => {
    expect(looksLikeSshKey(await opensshFile(ed25519))).toBe(true);
    expect(looksLikeSshKey(`\n${rsa.keyObject.export(pkcs8).toString()}`)).toBe(true);
    for (const text of [
      "",
      "AGE-SECRET-KEY-1TEST",
      "# a comment",
      "-----BEGIN AGE ENCRYPTED FILE-----",
      "ssh-ed25519",
    ]) {
      expect(looksLikeSshKey(text)).toBe(false);
    }
  });
});
