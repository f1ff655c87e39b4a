import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findCredentialsAsync } from "@napi-rs/keyring";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateIdentity } from "../../src/crypto/identity.ts";
import { fingerprintOf } from "../../src/crypto/recipient.ts";
import { createKeychainIdentity } from "../../src/identity/create.ts";
import { findInKeychain, removeFromKeychain, storeInKeychain } from "../../src/identity/keychain.ts";
import { createRepository, type TestRepository } from "../support/repository.ts";
import { startSecretService, type SecretService } from "../support/secret-service.ts";
import { startCli } from "../support/start-cli.ts";

const passphrase = "test keyring passphrase";
let service: SecretService;
let repository: TestRepository;
let identityFile: string;

beforeAll(async () => {
  service = await startSecretService(passphrase);
  // The library of this process reads it from here; the built command gets it as its own.
  process.env["DBUS_SESSION_BUS_ADDRESS"] = service.env["DBUS_SESSION_BUS_ADDRESS"];
  repository = createRepository();
  identityFile = join(repository.home, ".config/sealtree/identity.txt");
});

afterAll(async () => {
  delete process.env["DBUS_SESSION_BUS_ADDRESS"];
  await service.stop();
});

/** The built command, in a process of its own. */
async function sealtree(argv: readonly string[], options: { stdin?: string; env?: Record<string, string> } = {}) {
  const { env = service.env, ...rest } = options;
  const ended = startCli(argv, { cwd: repository.root, env: { ...repository.env, ...env }, ...rest }).ended;
  const { code, stdout, stderr } = await ended;
  return { code, stdout, stderr };
}

describe("a key in a real gnome-keyring", () => {
  let recipient: string;

  it("is made by keygen, which writes nothing secret to a file", async () => {
    const { code, stdout, stderr } = await sealtree(["keygen", "--keychain"]);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("keychain") });
    recipient = stdout.trim();
    const text = readFileSync(identityFile, "utf8");
    expect(text).toContain(`# public key: ${recipient}\nkeychain:${fingerprintOf(recipient)}\n`);
    const identity = (await findInKeychain(fingerprintOf(recipient))) ?? "";
    expect(identity).toMatch(/^AGE-SECRET-KEY-PQ-1\S+$/);
    expect(filesWith(repository.home, identity.trim())).toEqual([]);
  });

  it("seals and opens", async () => {
    expect(await sealtree(["init", "--yes"])).toMatchObject({ code: 0 });
    expect(await sealtree(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-value" })).toMatchObject({ code: 0 });
    const opened = await sealtree(["get", "dev/app/API_KEY", "--reveal", "--yes"]);
    expect(opened).toMatchObject({ code: 0, stdout: "test-value" });
  });

  it("is not replaced, and a second one that fails leaves nothing behind", async () => {
    const before = await findCredentialsAsync("sealtree");
    expect(await sealtree(["keygen", "--keychain"])).toMatchObject({ code: 7 });
    const below = join(identityFile, "no-folder/identity.txt");
    await expect(createKeychainIdentity(below, "x25519", new Date())).rejects.toMatchObject({ code: "E_IO" });
    expect(await findCredentialsAsync("sealtree")).toEqual(before);
  });

  it("is looked at by doctor", async () => {
    const { stdout } = await sealtree(["doctor", "--json"]);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; message: string }[] };
    expect(checks.filter(({ name }) => name === "keychain")).toMatchObject([{ status: "ok" }]);
    expect(checks.filter(({ name }) => name === "identity file")).toEqual([]);
    expect(stdout).not.toContain("AGE-SECRET-KEY");
  });

  it("stays shut while the keyring is locked, and another identity still works", async () => {
    const spare = join(repository.home, "spare.txt");
    const made = await sealtree(["keygen", "--x25519", "-o", spare]);
    await sealtree(["member", "add", "bob", "--recipient", made.stdout.trim(), "--role", "engineer", "--yes"]);
    await service.lock();
    const locked = await sealtree(["get", "dev/app/API_KEY", "--reveal", "--yes", "--json"]);
    expect(locked).toMatchObject({ code: 9, stdout: "" });
    expect(JSON.parse(locked.stderr)).toMatchObject({
      error: { code: "E_KEYCHAIN_FAILED", message: "the keychain is locked" },
    });
    expect((await sealtree(["doctor"])).stdout).toContain("the keychain is locked");
    const env = { ...service.env, SEALTREE_IDENTITY_FILE: spare };
    expect(await sealtree(["get", "dev/app/API_KEY", "--reveal", "--yes"], { env })).toMatchObject({
      code: 0,
      stdout: "test-value",
    });
  });

  it("stays shut after a start with the wrong passphrase, and opens after one with the right one", async () => {
    await service.restart("wrong");
    expect(await sealtree(["get", "dev/app/API_KEY", "--reveal", "--yes"])).toMatchObject({ code: 9 });
    await service.restart(passphrase);
    expect(await sealtree(["get", "dev/app/API_KEY", "--reveal", "--yes"])).toMatchObject({ stdout: "test-value" });
  });

  it("is refused when somebody put another key in its place", async () => {
    const print = fingerprintOf(recipient);
    const own = (await findInKeychain(print)) ?? "";
    await storeInKeychain(print, (await generateIdentity("hybrid")).identity);
    const { code, stderr } = await sealtree(["get", "dev/app/API_KEY", "--reveal", "--yes"]);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining("another key") });
    await storeInKeychain(print, own);
    expect(await sealtree(["get", "dev/app/API_KEY", "--reveal", "--yes"])).toMatchObject({ stdout: "test-value" });
  });

  it("is gone once it is removed", async () => {
    const print = fingerprintOf(recipient);
    expect(await removeFromKeychain(print)).toBe(true);
    expect(await removeFromKeychain(print)).toBe(false);
    expect(await findInKeychain(print)).toBeUndefined();
    const { code, stderr } = await sealtree(["get", "dev/app/API_KEY", "--reveal", "--yes"]);
    expect({ code, stderr }).toMatchObject({ code: 9, stderr: expect.stringContaining(`has no key ${print}`) });
    expect((await sealtree(["doctor"])).code).toBe(1);
  });

  it("cannot be made without D-Bus, and no file is written then", async () => {
    rmSync(identityFile);
    for (const env of [{}, { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent" }]) {
      const { code, stderr } = await sealtree(["keygen", "--keychain"], { env });
      expect({ code, stderr }).toMatchObject({ code: 9, stderr: expect.stringContaining("hint: ") });
      expect(existsSync(identityFile)).toBe(false);
    }
    writeFileSync(identityFile, `# public key: ${recipient}\nkeychain:${fingerprintOf(recipient)}\n`, { mode: 0o600 });
    expect(await sealtree(["get", "dev/app/API_KEY", "--reveal", "--yes"], { env: {} })).toMatchObject({ code: 9 });
  });
});

function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => join(item.parentPath, item.name))
    .filter((path) => readFileSync(path).includes(text));
}
