import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { decryptWithIdentities, listStanzas } from "../../src/crypto/age.ts";
import { encryptToRecipients } from "../../src/crypto/age-encrypt.ts";
import { encodeGeneration, generationId, hashReaders } from "../../src/crypto/generation.ts";
import { generateIdentity, type Identity, parseIdentities } from "../../src/crypto/identity.ts";
import { fingerprintOf, type Recipient } from "../../src/crypto/recipient.ts";
import { parseRecipient } from "../../src/crypto/parse-recipient.ts";
import { parseSshIdentity } from "../../src/crypto/ssh-identity.ts";
import { parseScopePath } from "../../src/secret/address.ts";
import { printGenerationFile } from "../../src/store/generation-file.ts";
import { openGeneration } from "../../src/store/open-generation.ts";
import { type AgeJob, readTestIdentities } from "./age-worker.ts";

const folder = mkdtempSync(join(tmpdir(), "sealtree-age-ssh-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const message = Buffer.alloc(70_000, "a page of test text ");
const passphrase = "correct test passphrase";
const worker = fileURLToPath(new URL("age-worker.ts", import.meta.url));

interface SshFile {
  readonly path: string;
  readonly text: string;
  readonly publicLine: string;
  readonly recipient: Recipient;
}

/** Runs a program; throws when it is not there or fails. */
function run(program: string, args: readonly string[], input: Uint8Array | string = ""): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, maxBuffer: 1 << 26 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} gave ${String(status)}: ${stderr.toString()}`);
  return stdout;
}

/** A key that ssh-keygen makes; without a passphrase unless the options say one. */
function sshKey(name: string, type: "ed25519" | "rsa", ...options: readonly string[]): SshFile {
  const path = join(folder, name);
  const size = type === "rsa" ? ["-b", "2048"] : [];
  const secret = options.includes("-N") ? [] : ["-N", ""];
  run("ssh-keygen", ["-q", "-t", type, ...size, "-C", "test@host", "-f", path, ...secret, ...options]);
  const publicLine = readFileSync(`${path}.pub`, "utf8").trim();
  return { path, text: readFileSync(path, "utf8"), publicLine, recipient: parseRecipient(publicLine) };
}

/** The identity of a key, and how often a passphrase was asked for. */
function identityOf(key: SshFile, publicLine?: string): { readonly identity: Identity; readonly asked: string[] } {
  const asked: string[] = [];
  const ask = async (of: string): Promise<string> => {
    asked.push(of);
    return passphrase;
  };
  return { identity: parseSshIdentity(key.text, key.path, ask, publicLine), asked };
}

async function open(file: string | Uint8Array, identity: Identity): Promise<Buffer> {
  return Buffer.from((await decryptWithIdentities(file, [identity]))?.plaintext ?? "no match");
}

const keys = {
  ed25519: sshKey("ed25519", "ed25519"),
  rsa: sshKey("rsa", "rsa"),
  "rsa in PKCS#1": sshKey("rsa-pkcs1", "rsa", "-m", "PEM"),
  "rsa in PKCS#8": sshKey("rsa-pkcs8", "rsa", "-m", "PKCS8"),
};
const stranger = sshKey("stranger", "ed25519");
/** Rage reads no PKCS#8. */
const cases = (["age", "rage"] as const).flatMap((program) =>
  (Object.keys(keys) as (keyof typeof keys)[])
    .filter((name) => program === "age" || name !== "rsa in PKCS#8")
    .map((name) => ({ program, name })),
);

describe.each(cases)("$program with a key of type $name", ({ program, name }) => {
  const key = keys[name];

  it("opens what we sealed, and only with the key", async () => {
    const file = await encryptToRecipients([stranger.recipient, key.recipient], message, "refused");
    expect(run(program, ["-d", "-i", key.path], file).equals(message)).toBe(true);
    const other = await encryptToRecipients([stranger.recipient], message, "refused");
    expect(() => run(program, ["-d", "-i", key.path], other)).toThrow(program);
  });

  it("seals with -r and -R what we open", async () => {
    const { identity, asked } = identityOf(key);
    for (const arguments_ of [
      ["-r", key.publicLine],
      ["-R", `${key.path}.pub`],
      ["-a", "-R", `${key.path}.pub`],
    ]) {
      expect((await open(run(program, arguments_, message), identity)).equals(message)).toBe(true);
    }
    expect(await open(run(program, ["-R", `${stranger.path}.pub`], message), identity)).toEqual(
      Buffer.from("no match"),
    );
    expect(asked).toEqual([]);
  });
});

describe("keys that ssh-keygen encrypts", () => {
  const ciphers = ["aes256-ctr", "aes256-cbc", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-cbc"];

  it.each(ciphers)("are read under %s, with one question and only for their own files", async (cipher) => {
    for (const type of ["ed25519", "rsa"] as const) {
      const key = sshKey(`${type}-${cipher}`, type, "-N", passphrase, "-Z", cipher, "-a", "4");
      const { identity, asked } = identityOf(key);
      expect(await identity.recipients()).toEqual([key.recipient]);
      expect(await open(run("age", ["-R", `${stranger.path}.pub`], message), identity)).toEqual(
        Buffer.from("no match"),
      );
      expect(asked).toEqual([]);
      for (const program of ["age", "rage"]) {
        expect((await open(run(program, ["-R", `${key.path}.pub`], message), identity)).equals(message)).toBe(true);
      }
      expect(asked).toEqual([key.path]);
    }
  });

  it.each(["PEM", "PKCS8"])("are read in the form %s, with and without the .pub file", async (form) => {
    const key = sshKey(`rsa-encrypted-${form}`, "rsa", "-N", passphrase, "-m", form);
    for (const publicLine of [key.publicLine, undefined]) {
      const { identity, asked } = identityOf(key, publicLine);
      expect(await identity.recipients()).toEqual(publicLine === undefined ? [] : [key.recipient]);
      expect((await open(run("age", ["-R", `${key.path}.pub`], message), identity)).equals(message)).toBe(true);
      expect(asked).toEqual([key.path]);
    }
  });

  it("are refused under a cipher that node:crypto does not have, with the command that changes it", () => {
    const key = sshKey("chacha", "ed25519", "-N", passphrase, "-Z", "chacha20-poly1305@openssh.com");
    expect(() => identityOf(key)).toThrow("is encrypted in a way that cannot be opened here");
    run("ssh-keygen", ["-q", "-p", "-P", passphrase, "-N", passphrase, "-Z", "aes256-ctr", "-a", "16", "-f", key.path]);
    expect(() => identityOf({ ...key, text: readFileSync(key.path, "utf8") })).not.toThrow();
  });
});

describe("keys of ssh-keygen that are of no use", () => {
  it("because they are of type ECDSA, are refused with the reason in every form", () => {
    for (const form of ["RFC4716", "PEM", "PKCS8"]) {
      const path = join(folder, `ecdsa-${form}`);
      run("ssh-keygen", ["-q", "-t", "ecdsa", "-N", "", "-m", form, "-f", path]);
      expect(() => parseSshIdentity(readFileSync(path, "utf8"), "KEY", async () => "")).toThrow(
        "KEY holds a key of type ECDSA, which age cannot use",
      );
    }
  });

  it("because they have 1024 bits, are refused", () => {
    const path = join(folder, "rsa-1024");
    run("ssh-keygen", ["-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", path]);
    expect(() => parseSshIdentity(readFileSync(path, "utf8"), "KEY", async () => "")).toThrow("1024 bits");
    expect(() => parseRecipient(readFileSync(`${path}.pub`, "utf8").trim())).toThrow("1024 bits");
  });
});

describe("a file for keys of every kind", async () => {
  const [x25519, hybrid] = [await generateIdentity("x25519"), await generateIdentity("hybrid")];
  const all = [x25519.recipient, keys.ed25519.recipient, hybrid.recipient, keys.rsa.recipient];
  const identities = [x25519.identity, keys.ed25519.text, hybrid.identity, keys.rsa.text];
  const types = ["X25519", "ssh-ed25519", "mlkem768x25519", "ssh-rsa"];
  const paths = identities.map((text, index) => {
    const path = join(folder, `mixed-${index}`);
    writeFileSync(path, text.endsWith("\n") ? text : `${text}\n`, { mode: 0o600 });
    return path;
  });
  const onNode24 = (job: AgeJob) => run("node24", [worker, "work"], JSON.stringify(job)).toString();

  function expectAllOpen(file: string): void {
    for (const path of paths) expect(run("age", ["-d", "-i", path], file).toString()).toBe("mixed test text");
    for (const path of paths.filter((_, index) => index !== 2)) {
      expect(run("rage", ["-d", "-i", path], file).toString()).toBe("mixed test text");
    }
  }

  it("is opened by age and rage with each key", async () => {
    expectAllOpen(await encryptToRecipients(all, Buffer.from("mixed test text"), "allowed"));
  });

  it("is opened by them when Node 24 sealed it, and by us on this Node", async () => {
    const file = onNode24({ recipients: all.map(({ text }) => text), plaintext: "mixed test text" });
    expect(listStanzas(file)).toEqual(types);
    expectAllOpen(file);
    for (const text of identities) {
      for (const identity of readTestIdentities(text))
        expect((await open(file, identity)).toString()).toBe("mixed test text");
    }
  });

  it("is opened by Node 24 when this Node sealed it", async () => {
    const file = await encryptToRecipients(all, Buffer.from("mixed test text"), "allowed");
    expect(listStanzas(file)).toEqual(types);
    for (const text of identities) expect(onNode24({ file, identities: [text] })).toBe("mixed test text");
    expect(onNode24({ file, identities: [stranger.text] })).toBe("no match");
  });
});

describe("a generation file for an SSH and an X25519 reader", () => {
  it("opens with age and rage once its armored block is cut out", async () => {
    const scope = parseScopePath("prod/api");
    const x25519 = await generateIdentity("x25519");
    const path = join(folder, "generation-reader");
    writeFileSync(path, `${x25519.identity}\n`, { mode: 0o600 });
    const readers = [keys.ed25519.recipient, x25519.recipient, keys.rsa.recipient];
    const wrappedFor = new Map(readers.map(({ text }, index) => [`reader${index}`, [fingerprintOf(text)]]));
    const dek = Buffer.alloc(32, 0x5e);
    const createdAt = 1_767_225_600;
    const mintedForHash = hashReaders(wrappedFor);
    const payload = encodeGeneration({ dek, createdAt, previous: undefined, mintedForHash, scope });
    const armored = await encryptToRecipients(readers, payload, "refused");
    const id = generationId(dek, scope);
    const file = { id, previous: undefined, createdAt, mintedFor: wrappedFor, wrappedFor, armored };
    const block = /^ {2}-----BEGIN[^]*END AGE ENCRYPTED FILE-----$/m.exec(printGenerationFile(scope, file))?.[0] ?? "";
    const cut = block.replaceAll(/^ {2}/gm, "");
    for (const program of ["age", "rage"]) {
      for (const key of [keys.ed25519.path, path, keys.rsa.path]) {
        expect(run(program, ["-d", "-i", key], `${cut}\n`).equals(payload)).toBe(true);
      }
    }
    const opened = await openGeneration(scope, file, [identityOf(keys.ed25519).identity]);
    expect([opened?.id, opened?.reader]).toEqual([id, "reader0"]);
    expect((await openGeneration(scope, file, parseIdentities(x25519.identity)))?.reader).toBe("reader1");
  });
});
