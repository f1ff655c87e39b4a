import { createPublicKey, hkdfSync, publicEncrypt, constants } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { decryptWithIdentities, listStanzas } from "../../src/crypto/age.ts";
import { encryptToRecipients } from "../../src/crypto/age-encrypt.ts";
import { printHeader, type Stanza } from "../../src/crypto/age-header.ts";
import { parseAgeFile, sealAgeFile } from "../../src/crypto/age-file.ts";
import { isTaggedFor, unwrapSsh, wrapSsh } from "../../src/crypto/age-ssh.ts";
import { wrapWithLibrary } from "../../src/crypto/age-library.ts";
import { generateIdentity, type Identity, parseIdentities } from "../../src/crypto/identity.ts";
import { type Recipient } from "../../src/crypto/recipient.ts";
import { parseRecipient } from "../../src/crypto/parse-recipient.ts";
import { parseSshIdentity } from "../../src/crypto/ssh-identity.ts";
import { ed25519Pair, rsaPair } from "../../src/crypto/ssh-key-pair.ts";
import { wrapNewFileKey } from "../../src/crypto/wrap-file-key.ts";
import { SealtreeError } from "../../src/errors.ts";
import { ed25519TestKey, opensshFile, rsaTestKey } from "./ssh-keys.ts";

const message = Buffer.from("not a secret, only a test");
const fileKey = Buffer.alloc(16, 0x5e);
const passphrase = "correct test passphrase";
const ed25519 = ed25519TestKey("reader");
const stranger = ed25519TestKey("stranger");
const rsa = rsaTestKey();
const keys = [
  ["ssh-ed25519", ed25519],
  ["ssh-rsa", rsa],
] as const;
const pairs = [ed25519Pair(Buffer.alloc(32, 1)), rsaPair(rsa.keyObject)];
const never = async (): Promise<string> => {
  throw new Error("asked for a passphrase");
};

function recipientOf(key: { readonly publicKey: { readonly text: string } }): Recipient {
  return parseRecipient(key.publicKey.text);
}

/** Counts how often it was asked, and what for. */
function asking(answer: string) {
  const asked: string[] = [];
  const ask = async (of: string): Promise<string> => {
    asked.push(of);
    return answer;
  };
  return { asked, ask };
}

async function sealTo(...stanzas: Stanza[]): Promise<Uint8Array> {
  return sealAgeFile(stanzas, fileKey, message);
}

describe("wrapSsh", () => {
  it.each(pairs)("makes one stanza that the $kind key opens", (pair) => {
    const stanza = wrapSsh(recipientOf(pair), fileKey);
    expect(stanza.args[0]).toBe(pair.kind);
    expect(stanza.args[1]).toMatch(/^[A-Za-z0-9+/]{6}$/);
    expect(stanza.args.length).toBe(pair.kind === "ssh-rsa" ? 2 : 3);
    expect(stanza.body.length).toBe(pair.kind === "ssh-rsa" ? 256 : 32);
    expect(isTaggedFor(stanza, pair.publicKey)).toBe(true);
    expect(unwrapSsh(pair, stanza)).toEqual(fileKey);
  });

  it.each(pairs)("makes another one each time for a $kind key", (pair) => {
    const [first, second] = [1, 2].map(() => wrapSsh(recipientOf(pair), fileKey));
    expect(first?.body).not.toEqual(second?.body);
    expect(first?.args[1]).toBe(second?.args[1]);
  });

  it("refuses a recipient that nobody checked", () => {
    expect(() => wrapSsh({ kind: "ssh-ed25519", text: "ssh-ed25519 AAAA" }, fileKey)).toThrow("misspelt");
  });
});

describe("unwrapSsh", () => {
  it.each(pairs)("opens no stanza that was changed, for a $kind key", (pair) => {
    const { args, body } = wrapSsh(recipientOf(pair), fileKey);
    const flipped = Buffer.from(body);
    flipped[5] = (flipped[5] ?? 0) ^ 1;
    for (const stanza of [
      { args, body: flipped },
      { args, body: body.subarray(1) },
      { args, body: Buffer.concat([body, Buffer.of(0)]) },
      { args, body: new Uint8Array(0) },
      { args: [...args, "more"], body },
      { args: args.slice(0, -1), body },
    ]) {
      expect(unwrapSsh(pair, stanza)).toBeUndefined();
    }
  });

  it("opens no stanza with a share of small order, or of another length", () => {
    const [pair] = pairs as [(typeof pairs)[0] & object];
    const { args, body } = wrapSsh(recipientOf(pair), fileKey);
    for (const share of [Buffer.alloc(32), Buffer.alloc(31, 1), Buffer.alloc(33, 1)]) {
      const base64 = share.toString("base64").replaceAll("=", "");
      expect(unwrapSsh(pair, { args: [...args.slice(0, 2), base64], body })).toBeUndefined();
    }
    expect(unwrapSsh(pair, { args: [...args.slice(0, 2), `${args[2] ?? ""}=`], body })).toBeUndefined();
  });

  it("opens no RSA stanza with a file key of another length, or another label", () => {
    const key = createPublicKey(rsa.keyObject);
    const oaep = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
    const oaepLabel = Buffer.from("age-encryption.org/v1/ssh-rsa");
    const { args } = wrapSsh(recipientOf(rsa), fileKey);
    const bodies = [
      publicEncrypt({ ...oaep, oaepLabel }, Buffer.alloc(17)),
      publicEncrypt({ ...oaep, oaepLabel }, Buffer.alloc(0)),
      publicEncrypt(oaep, fileKey),
    ];
    for (const body of bodies) expect(unwrapSsh(rsaPair(rsa.keyObject), { args, body })).toBeUndefined();
    const right = publicEncrypt({ ...oaep, oaepLabel }, fileKey);
    expect(unwrapSsh(rsaPair(rsa.keyObject), { args, body: right })).toEqual(fileKey);
  });

  it("needs a HKDF that takes no key, as the tweak has none", () => {
    expect(hkdfSync("sha256", "", "salt", "info", 32).byteLength).toBe(32);
  });
});

describe("parseSshIdentity", () => {
  it.each(keys)("opens a file for a %s key, and says which stanza", async (kind, key) => {
    const file = await encryptToRecipients([recipientOf(stranger), recipientOf(key)], message, "refused");
    const identity = parseSshIdentity(await opensshFile(key), "KEY", never);
    expect(await decryptWithIdentities(file, [identity])).toEqual({ plaintext: message, stanza: 1, stanzaCount: 2 });
    expect(await identity.recipients()).toEqual([{ kind, text: key.publicKey.text }]);
  });

  it("opens no file of others, and asks nobody then", async () => {
    const { asked, ask } = asking(passphrase);
    const text = await opensshFile(ed25519, { cipher: "aes256-ctr", passphrase });
    const identity = parseSshIdentity(text, "KEY", ask);
    const x25519 = (await generateIdentity("x25519")).recipient;
    const file = await encryptToRecipients([recipientOf(stranger), recipientOf(rsa), x25519], message, "refused");
    expect(await decryptWithIdentities(file, [identity])).toBeUndefined();
    expect(await identity.recipients()).toEqual([recipientOf(ed25519)]);
    expect(asked).toEqual([]);
  });

  it("asks for a passphrase once, also for files that are opened at the same time", async () => {
    const { asked, ask } = asking(passphrase);
    const text = await opensshFile(ed25519, { cipher: "aes256-gcm@openssh.com", passphrase });
    const identity = parseSshIdentity(text, "the SSH key /home/test/key", ask);
    const file = await encryptToRecipients([recipientOf(ed25519)], message, "refused");
    const opened = await Promise.all([1, 2, 3].map(() => decryptWithIdentities(file, [identity])));
    expect(opened.map((one) => one?.plaintext)).toEqual([message, message, message]);
    expect(asked).toEqual(["the SSH key /home/test/key"]);
  });

  it("says that a passphrase is wrong, and asks no second time", async () => {
    const { asked, ask } = asking("wrong test passphrase");
    const text = await opensshFile(ed25519, { cipher: "aes256-ctr", passphrase });
    const identity = parseSshIdentity(text, "KEY", ask);
    const file = await encryptToRecipients([recipientOf(ed25519)], message, "refused");
    for (const _ of [1, 2]) {
      await expect(decryptWithIdentities(file, [identity])).rejects.toMatchObject({
        code: "E_IDENTITY_INVALID",
        message: "incorrect passphrase for KEY",
      });
    }
    expect(asked.length).toBe(1);
  });

  it("leaves a file to the other identities when nobody can be asked", async () => {
    const ask = () => Promise.reject(new SealtreeError("E_NEEDS_TERMINAL", "nobody can be asked"));
    const text = await opensshFile(ed25519, { cipher: "aes256-ctr", passphrase });
    const identity = parseSshIdentity(text, "KEY", ask);
    const other = parseSshIdentity(await opensshFile(stranger), "OTHER", never);
    const file = await encryptToRecipients([recipientOf(ed25519), recipientOf(stranger)], message, "refused");
    expect((await decryptWithIdentities(file, [identity, other]))?.plaintext).toEqual(message);
    await expect(decryptWithIdentities(file, [identity])).rejects.toMatchObject({ code: "E_NEEDS_TERMINAL" });
  });

  it("takes the public half of an encrypted PEM key from its .pub file", async () => {
    const text = rsa.keyObject.export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase }).toString();
    const { asked, ask } = asking(passphrase);
    const identity = parseSshIdentity(text, "KEY", ask, `${rsa.publicKey.text} test@host\n`);
    expect(await identity.recipients()).toEqual([recipientOf(rsa)]);
    const others = await encryptToRecipients([recipientOf(stranger)], message, "refused");
    expect(await decryptWithIdentities(others, [identity])).toBeUndefined();
    expect(asked).toEqual([]);
    const file = await encryptToRecipients([recipientOf(rsa)], message, "refused");
    expect((await decryptWithIdentities(file, [identity]))?.plaintext).toEqual(message);
  });

  it("says that a .pub file belongs to another key", async () => {
    const text = rsa.keyObject.export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase }).toString();
    const identity = parseSshIdentity(text, "KEY", async () => passphrase, stranger.publicKey.text);
    const file = await encryptToRecipients([recipientOf(stranger)], message, "refused");
    await expect(decryptWithIdentities(file, [identity])).rejects.toMatchObject({
      message: "KEY is not the private half of the .pub file beside it",
    });
  });

  it.each([undefined, "", "text", "ssh-ed25519 AAAA"])(
    "asks with the first file for an SSH key of its kind when the .pub file is %j",
    async (publicKey) => {
      const { asked, ask } = asking(passphrase);
      const text = rsa.keyObject.export({ format: "pem", type: "pkcs1", cipher: "aes-128-cbc", passphrase }).toString();
      const identity = parseSshIdentity(text, "KEY", ask, publicKey);
      expect(await identity.recipients()).toEqual([]);
      const forEd25519 = await encryptToRecipients([recipientOf(stranger)], message, "refused");
      expect(await decryptWithIdentities(forEd25519, [identity])).toBeUndefined();
      expect(asked.length).toBe(0);
      const forRsa = await encryptToRecipients([recipientOf(rsa)], message, "refused");
      expect((await decryptWithIdentities(forRsa, [identity]))?.plaintext).toEqual(message);
      expect(asked.length).toBe(1);
      expect(await identity.recipients()).toEqual([recipientOf(rsa)]);
    },
  );

  it("takes a stanza with its tag that does not open for a broken file, as age does", async () => {
    const identity = parseSshIdentity(await opensshFile(ed25519), "KEY", never);
    const own = wrapSsh(recipientOf(ed25519), fileKey);
    const foreign = wrapSsh(recipientOf(stranger), fileKey);
    const collision = { args: [...own.args.slice(0, 2), foreign.args[2] ?? ""], body: foreign.body };
    await expect(decryptWithIdentities(await sealTo(collision), [identity])).rejects.toMatchObject({
      code: "E_AGE_MALFORMED",
    });
    expect((await decryptWithIdentities(await sealTo(collision, own), [identity]))?.stanza).toBe(1);
  });

  it("shows nothing of the key in any way of printing it", async () => {
    const text = await opensshFile(ed25519);
    const identity = parseSshIdentity(text, "KEY", never);
    const shown: unknown = identity;
    const seen = [String(shown), JSON.stringify(shown), inspect(shown, { depth: 9, showHidden: true })].join();
    const seed = ed25519.keyObject.export({ format: "jwk" }).d ?? "";
    expect(seen).toContain("[redacted]");
    expect(seen).not.toContain(seed);
    expect(Object.keys(identity)).toEqual([]);
  });
});

describe("a file for recipients of every kind", async () => {
  const [x25519, hybrid] = [await generateIdentity("x25519"), await generateIdentity("hybrid")];
  const all = [hybrid.recipient, recipientOf(ed25519), x25519.recipient, recipientOf(rsa)];
  const identities: Identity[] = [
    ...parseIdentities(hybrid.identity),
    parseSshIdentity(await opensshFile(ed25519), "KEY", never),
    ...parseIdentities(x25519.identity),
    parseSshIdentity(await opensshFile(rsa), "KEY", never),
  ];

  it("has one stanza each in the order given, and each key opens it", async () => {
    const file = await encryptToRecipients([...all, ...all], message, "allowed");
    expect(listStanzas(file)).toEqual(["mlkem768x25519", "ssh-ed25519", "X25519", "ssh-rsa"]);
    for (const identity of identities) {
      expect((await decryptWithIdentities(file, [identity]))?.plaintext).toEqual(message);
    }
  });

  it("counts as mixed when one is post-quantum, and not when none is", async () => {
    const classic = all.filter(({ kind }) => kind !== "hybrid");
    expect(listStanzas(await encryptToRecipients(classic, message, "refused")).length).toBe(3);
    await expect(encryptToRecipients(all, message, "refused")).rejects.toMatchObject({ code: "E_RECIPIENTS_MIXED" });
  });

  it("takes an SSH recipient with another comment for the same one", async () => {
    const twice: Recipient = { kind: "ssh-rsa", text: `${rsa.publicKey.text} test` };
    expect(listStanzas(await encryptToRecipients([recipientOf(rsa), twice], message, "refused"))).toEqual(["ssh-rsa"]);
  });

  it("asks each plugin once, at the same time, with the file key of all stanzas", async () => {
    const seen: Uint8Array[] = [];
    const gates: (() => void)[] = [];
    const host = {
      wrapFileKey: async (key: string, own: Uint8Array) => {
        seen.push(own);
        await new Promise<void>((resolve) => {
          gates.push(resolve);
          if (gates.length === 2) for (const open of gates) open();
        });
        return { args: ["test-plugin", key.slice(-6)], body: own, labels: [] };
      },
      unwrapFileKey: () => Promise.reject(new Error("not asked here")),
    };
    const plugins: Recipient[] = ["a", "b"].map((name) => ({ kind: "plugin", text: `age1test${name}` }));
    const made = await wrapNewFileKey([...plugins, ...all], async () => host);
    expect(made.stanzas.map((stanza) => stanza.args[0])).toEqual([
      "test-plugin",
      "test-plugin",
      "mlkem768x25519",
      "ssh-ed25519",
      "X25519",
      "ssh-rsa",
    ]);
    expect(seen).toEqual([made.fileKey, made.fileKey]);
    const sealed = sealAgeFile(made.stanzas, made.fileKey, message);
    for (const identity of identities) {
      expect((await decryptWithIdentities(sealed, [identity]))?.plaintext).toEqual(message);
    }
  });
});

describe("wrapWithLibrary", () => {
  it("gives a new file key and one stanza a recipient that opens to it", async () => {
    const readers = await Promise.all([1, 2].map(() => generateIdentity("hybrid")));
    const made = await wrapWithLibrary(readers.map(({ recipient }) => recipient.text));
    expect(made.fileKey.length).toBe(16);
    expect(made.stanzas.map((stanza) => stanza.args[0])).toEqual(["mlkem768x25519", "mlkem768x25519"]);
    const { header } = parseAgeFile(Buffer.concat([printHeader(made.stanzas, made.fileKey), Buffer.alloc(32)]), 10_000);
    for (const [index, reader] of readers.entries()) {
      const [identity] = parseIdentities(reader.identity) as [Identity];
      const unwrapped = await identity.unwrapFileKey(header);
      expect(Buffer.from(unwrapped?.fileKey ?? [])).toEqual(Buffer.from(made.fileKey));
      expect([index, undefined]).toContain(unwrapped?.stanza);
    }
    expect((await wrapWithLibrary(readers.map(({ recipient }) => recipient.text))).fileKey).not.toEqual(made.fileKey);
  });
});
