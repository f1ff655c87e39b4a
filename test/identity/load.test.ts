import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decryptWithIdentities } from "../../src/crypto/age.ts";
import { encryptToRecipients } from "../../src/crypto/age-encrypt.ts";
import { sealWithPassphrase } from "../../src/crypto/age-passphrase.ts";
import { encodeBech32 } from "../../src/crypto/bech32.ts";
import { generateIdentity, type NewIdentity } from "../../src/crypto/identity.ts";
import { fingerprintOf } from "../../src/crypto/recipient.ts";
import { parseRecipient } from "../../src/crypto/parse-recipient.ts";
import type { SealtreeError } from "../../src/errors.ts";
import { findIdentities, loadIdentities, type LoadedIdentities } from "../../src/identity/load.ts";

const passphrase = "test passphrase, public";
const folders: string[] = [];
let first: NewIdentity;
let second: NewIdentity;
let sshKey: { readonly text: string; readonly publicText: string };

beforeAll(async () => {
  first = await generateIdentity("x25519", (size) => Buffer.alloc(size, "first test key "));
  second = await generateIdentity("x25519", (size) => Buffer.alloc(size, "second test key "));
  sshKey = makeSshKey("test@example.test");
});

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe("loadIdentities", () => {
  it("takes all sources together, and the ones that need no passphrase first", async () => {
    const home = makeHome();
    const files = [
      home.write("sealed.age", await sealWithPassphrase(Buffer.from(second.identity), passphrase, 1)),
      home.write("plain.txt", first.identity),
    ];
    home.write(".config/sealtree/identity.txt", sshKey.text);
    const env = { SEALTREE_IDENTITY_FILE: files.join(delimiter) };
    const { identities, sources } = await home.load(env);
    expect(sources.map(({ kind, outcome }) => [kind, outcome])).toEqual([
      [undefined, "not set"],
      ["passphrase", "identities behind a passphrase"],
      ["age", "1 identity"],
      [undefined, "not set"],
      ["ssh", "an SSH key"],
    ]);
    const texts = await Promise.all(identities.map(async (identity) => (await identity.recipients())[0]?.text));
    expect(texts).toEqual([first.recipient.text, sshKey.publicText, second.recipient.text]);
    expect(home.asked).toEqual([`the identity ${files[0] ?? ""}`]);
  });

  it("lets a broken source hide no good one", async () => {
    const home = makeHome();
    const files = [
      home.write("empty.txt", ""),
      home.write("bogus.key", "-----BEGIN OPENSSH PRIVATE KEY-----\nbm90IGEga2V5\n-----END OPENSSH PRIVATE KEY-----\n"),
      home.write("bogus.age", "-----BEGIN AGE ENCRYPTED FILE-----\nbm90\n-----END AGE ENCRYPTED FILE-----\n"),
      home.write("for-a-key.age", await encryptToRecipients([first.recipient], Buffer.from("x"), "refused")),
      home.write("bogus-reference.txt", "keychain:canary\n"),
      home.write("plugin.txt", encodeBech32("age-plugin-canary-", Buffer.alloc(5)).toUpperCase()),
      join(home.path, "missing.txt"),
      home.path,
      home.write("good.txt", first.identity),
    ];
    const { identities, sources } = await home.load({
      SEALTREE_IDENTITY: "AGE-SECRET-KEY-CANARY",
      SEALTREE_IDENTITY_FILE: files.join(delimiter),
      SEALTREE_IDENTITY_CMD: "echo AGE-SECRET-KEY-CANARY; exit 3",
    });
    expect(identities.length).toBe(1);
    expect(sources.filter(({ isBroken }) => isBroken).length).toBe(files.length - 1 + 2);
    expect(inspect(sources, { depth: 9 })).not.toMatch(/CANARY|keychain:canary|bm90/);
  });

  it("reads a file once that is named twice", async () => {
    const home = makeHome();
    const file = home.write(".config/sealtree/identity.txt", first.identity);
    const { identities, sources } = await home.load({ SEALTREE_IDENTITY_FILE: [file, file].join(delimiter) });
    expect(identities.length).toBe(1);
    expect(sources.filter((source) => source.file === file).length).toBe(1);
  });

  it("runs the command once and without an identity in its environment", async () => {
    const home = makeHome();
    const file = home.write("key.txt", first.identity);
    const script = `echo run >> '${home.path}/runs'; env > '${home.path}/env'; cat '${file}'`;
    const { identities } = await home.load({
      SEALTREE_IDENTITY: second.identity,
      SOPS_AGE_KEY: first.identity,
      TEST_OTHER: `key: ${first.identity}`,
      SEALTREE_IDENTITY_CMD: script,
    });
    expect(identities.length).toBe(2);
    expect(execFileSync("cat", [join(home.path, "runs")], { encoding: "utf8" })).toBe("run\n");
    expect(execFileSync("cat", [join(home.path, "env")], { encoding: "utf8" })).not.toContain("AGE-SECRET-KEY");
  });

  it("says where it looked when there is nothing", async () => {
    const failure = await makeHome()
      .load({})
      .catch((error: SealtreeError) => error);
    expect(failure).toMatchObject({ code: "E_NO_IDENTITY" });
    const hints = (failure as SealtreeError).hints.join("\n");
    for (const place of ["SEALTREE_IDENTITY_CMD: not set", "identity.txt", "id_ed25519", "id_rsa"]) {
      expect(hints).toContain(place);
    }
  });
});

describe("the SSH keys of ~/.ssh", () => {
  it("are looked at when there is nothing else, ed25519 first", async () => {
    const home = makeHome();
    const other = makeSshKey("other@example.test");
    home.write(".ssh/id_rsa", other.text);
    home.write(".ssh/id_ed25519", sshKey.text);
    const { identities } = await home.load({});
    const texts = await Promise.all(identities.map(async (identity) => (await identity.recipients())[0]?.text));
    expect(texts).toEqual([sshKey.publicText, other.publicText]);
    expect((await home.load({ SEALTREE_IDENTITY: first.identity })).identities.length).toBe(1);
  });

  it("are left alone when SEALTREE_SSH_KEY is off", async () => {
    const home = makeHome();
    home.write(".ssh/id_ed25519", sshKey.text);
    const { identities, sources } = await home.find({ SEALTREE_SSH_KEY: "off" });
    expect(identities).toEqual([]);
    expect(sources.at(-1)?.outcome).toBe("turned off by SEALTREE_SSH_KEY");
  });

  it("are no mistake when they cannot be used", async () => {
    const home = makeHome();
    home.write(".ssh/id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\nbm90\n-----END OPENSSH PRIVATE KEY-----\n");
    home.write(".ssh/id_rsa", "hello\n");
    const { identities, sources } = await home.find({});
    expect(identities).toEqual([]);
    expect(sources.filter(({ isBroken }) => isBroken)).toEqual([]);
    home.write(".ssh/id_rsa", sshKey.text);
    expect((await home.find({})).identities.length).toBe(1);
  });

  it("ask for nothing before a file is for them", async () => {
    const home = makeHome();
    const locked = makeSshKey("locked@example.test", passphrase);
    home.write(".ssh/id_ed25519", locked.text);
    const { identities } = await home.load({});
    const foreign = await encryptToRecipients(
      [first.recipient, parseRecipient(sshKey.publicText)],
      Buffer.of(1),
      "allowed",
    );
    expect(await decryptWithIdentities(foreign, identities)).toBeUndefined();
    expect(home.asked).toEqual([]);
    const own = await encryptToRecipients([parseRecipient(locked.publicText)], Buffer.of(1), "refused");
    for (const _ of [1, 2]) expect((await decryptWithIdentities(own, identities))?.plaintext.length).toBe(1);
    expect(home.asked.length).toBe(1);
  });
});

describe("a passphrase-encrypted identity", () => {
  it("opens files and asks once, armored or binary, from a file or the environment", async () => {
    const home = makeHome();
    const sealed = await sealWithPassphrase(Buffer.from(`# a comment\n${first.identity}\n`), passphrase, 1);
    const binary = Buffer.from(sealed.split("\n").slice(1, -2).join(""), "base64");
    const file = await encryptToRecipients([first.recipient], Buffer.from("opened"), "refused");
    const sources = [
      { SEALTREE_IDENTITY: sealed },
      { SEALTREE_IDENTITY_FILE: home.write("sealed.age", binary) },
      { SEALTREE_IDENTITY_CMD: `cat '${home.write("armored.age", sealed)}'` },
    ];
    for (const env of sources) {
      home.asked.length = 0;
      const { identities } = await home.load(env);
      expect(home.asked).toEqual([]);
      const opened = await Promise.all([1, 2].map(async () => await decryptWithIdentities(file, identities)));
      expect(opened.map((it) => Buffer.from(it?.plaintext ?? []).toString())).toEqual(["opened", "opened"]);
      expect(await identities[0]?.recipients()).toEqual([first.recipient]);
      expect(home.asked.length).toBe(1);
    }
  });

  it("gives up after three wrong passphrases and does not ask again", async () => {
    const home = makeHome("wrong");
    const sealed = await sealWithPassphrase(Buffer.from(first.identity), passphrase, 1);
    const { identities } = await home.load({ SEALTREE_IDENTITY: sealed });
    for (const _ of [1, 2]) {
      await expect(identities[0]?.recipients()).rejects.toMatchObject({
        code: "E_IDENTITY_INVALID",
        message: expect.stringContaining("incorrect passphrase"),
      });
    }
    expect(home.asked.length).toBe(3);
  });

  it("tells its public half without a passphrase when a .pub file lies beside it", async () => {
    const home = makeHome();
    const sealed = await sealWithPassphrase(Buffer.from(first.identity), passphrase, 1);
    const file = home.write("sealed.age", sealed);
    home.write("sealed.age.pub", `${first.recipient.text}\n`);
    const { identities } = await home.load({ SEALTREE_IDENTITY_FILE: file });
    expect(await identities[0]?.recipients()).toEqual([first.recipient]);
    expect(home.asked).toEqual([]);
  });

  it("is refused when the .pub file beside it is of another key", async () => {
    const home = makeHome();
    const file = home.write("sealed.age", await sealWithPassphrase(Buffer.from(first.identity), passphrase, 1));
    home.write("sealed.age.pub", `${second.recipient.text}\n`);
    const { identities } = await home.load({ SEALTREE_IDENTITY_FILE: file });
    const sealed = await encryptToRecipients([first.recipient], Buffer.of(1), "refused");
    await expect(decryptWithIdentities(sealed, identities)).rejects.toMatchObject({ code: "E_IDENTITY_INVALID" });
  });

  it("that holds something else says so with nothing of it", async () => {
    const home = makeHome();
    const sealed = await sealWithPassphrase(Buffer.from("canary canary\n"), passphrase, 1);
    const { identities } = await home.load({ SEALTREE_IDENTITY: sealed });
    const failure: unknown = await identities[0]?.recipients().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "E_IDENTITY_INVALID" });
    expect(inspect(failure)).not.toContain("canary canary");
    expect(inspect(identities)).toContain("[redacted]");
    expect(JSON.stringify(identities)).toBe('["[redacted]"]');
  });
});

describe("a reference to the keychain", () => {
  it("tells the public half without the keychain, and leaves other files alone", async () => {
    const home = makeHome();
    const print = fingerprintOf(first.recipient.text);
    home.write(".config/sealtree/identity.txt", `# public key: ${first.recipient.text}\nkeychain:${print}\n`);
    const { identities, sources } = await home.load({});
    expect(sources.find(({ kind }) => kind === "keychain")?.outcome).toBe("1 identity in the keychain");
    expect(await identities[0]?.recipients()).toEqual([first.recipient]);
    const hybrid = await generateIdentity("hybrid");
    const other = await encryptToRecipients([hybrid.recipient], Buffer.of(1), "refused");
    expect(await decryptWithIdentities(other, identities)).toBeUndefined();
  });
});

interface Home {
  readonly path: string;
  readonly asked: string[];
  write(name: string, content: string | Uint8Array): string;
  load(env: Record<string, string>): Promise<LoadedIdentities>;
  find(env: Record<string, string>): Promise<LoadedIdentities>;
}

/** A home folder whose user answers every question with `answer`. */
function makeHome(answer = passphrase): Home {
  const path = mkdtempSync(join(tmpdir(), "sealtree-load-"));
  folders.push(path);
  const asked: string[] = [];
  const askPassphrase = async (of: string) => {
    asked.push(of);
    return answer;
  };
  const options = (env: Record<string, string>) => ({
    env: { PATH: process.env["PATH"] ?? "", HOME: path, ...env },
    askPassphrase,
  });
  return {
    path,
    asked,
    write(name, content) {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      chmodSync(file, 0o600);
      return file;
    },
    load: async (env) => await loadIdentities(options(env)),
    find: async (env) => await findIdentities(options(env)),
  };
}

function makeSshKey(comment: string, phrase = ""): { readonly text: string; readonly publicText: string } {
  const folder = mkdtempSync(join(tmpdir(), "sealtree-ssh-"));
  folders.push(folder);
  const file = join(folder, "key");
  const quick = phrase === "" ? [] : ["-a", "1"];
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-C", comment, "-N", phrase, ...quick, "-f", file]);
  const read = (path: string) => execFileSync("cat", [path], { encoding: "utf8" });
  return { text: read(file), publicText: read(`${file}.pub`).split(" ").slice(0, 2).join(" ") };
}
