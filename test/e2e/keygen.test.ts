import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { sealWithPassphrase } from "../../src/crypto/age-passphrase.ts";
import { encodeBech32 } from "../../src/crypto/bech32.ts";
import { generateIdentity } from "../../src/crypto/identity.ts";
import { createRepository, createSealedRepository, type TestRepository } from "../support/repository.ts";

const passphrase = "test-passphrase-canary";
const withPassphrase = { SEALTREE_PASSPHRASE_CMD: `echo ${passphrase}` };

describe("keygen --passphrase", () => {
  it("writes a file that takes the passphrase, and the public half beside it; the command gets no identity", async () => {
    const repository = createRepository();
    const file = identityFile(repository);
    const seen = join(repository.home, "seen");
    const spy = `env > '${seen}'; echo ${passphrase}`;
    const made = await repository.ok(["keygen", "--passphrase"], {
      env: { SEALTREE_IDENTITY: "AGE-SECRET-KEY-CANARY", SEALTREE_PASSPHRASE_CMD: spy },
    });
    expect(readFileSync(file, "utf8")).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(`${file}.pub`, "utf8")).toBe(made.stdout);
    expect(readFileSync(seen, "utf8")).toContain(`SEALTREE_PASSPHRASE_OF=${file}\n`);
    expect(readFileSync(seen, "utf8")).not.toContain("AGE-SECRET-KEY");
    await repository.ok(["init", "--yes"]);
    await repository.ok(["set", "dev/app/API_KEY", "--stdin"], { stdin: "test-value", env: withPassphrase });
    const get = ["get", "dev/app/API_KEY", "--reveal", "--yes"];
    expect((await repository.ok(get, { env: withPassphrase })).stdout).toBe("test-value");
    const refused = await repository.run(get);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toContain("SEALTREE_PASSPHRASE_CMD");
    const failed = await repository.run(get, { env: { SEALTREE_PASSPHRASE_CMD: `echo ${passphrase} >&2; exit 1` } });
    expect(failed).toMatchObject({ code: 2, stdout: "" });
    for (const { stderr } of [refused, failed]) expect(stderr).not.toContain(passphrase);
  });

  it("is refused without anybody to ask, with an empty passphrase, and where a file is", async () => {
    const repository = createRepository();
    expect(await repository.run(["keygen", "--passphrase"])).toMatchObject({ code: 2 });
    expect(
      await repository.run(["keygen", "--passphrase"], { env: { SEALTREE_PASSPHRASE_CMD: "echo" } }),
    ).toMatchObject({ code: 2 });
    expect(existsSync(identityFile(repository))).toBe(false);
    await repository.ok(["keygen"]);
    const before = readFileSync(identityFile(repository));
    expect(await repository.run(["keygen", "--passphrase"], { env: withPassphrase })).toMatchObject({ code: 7 });
    expect(readFileSync(identityFile(repository)).equals(before)).toBe(true);
    expect(existsSync(`${identityFile(repository)}.pub`)).toBe(false);
  });
});

describe("keygen --ssh", () => {
  it("shows the public half of the default key, and that it is found", async () => {
    const repository = createRepository();
    const publicText = makeSshKey(join(repository.home, ".ssh/id_ed25519"));
    const result = await repository.ok(["keygen", "--ssh"]);
    expect(result.stdout).toBe(`${publicText}\n`);
    expect(result.stderr).toContain("finds it by itself");
    expect(existsSync(identityFile(repository))).toBe(false);
  });

  it("says what to set where sealtree does not find the key", async () => {
    const repository = createRepository();
    const file = join(repository.home, "keys/work");
    const publicText = makeSshKey(file);
    const named = await repository.ok(["keygen", "--ssh", file, "--json"]);
    expect(named.json()).toEqual({ file, recipient: publicText, kind: "ssh-ed25519", store: "ssh" });
    expect((await repository.ok(["keygen", "--ssh", file])).stderr).toContain(
      `export SEALTREE_IDENTITY_FILE='${file}'`,
    );
    await repository.ok(["keygen"]);
    makeSshKey(join(repository.home, ".ssh/id_ed25519"));
    const shadowed = await repository.ok(["keygen", "--ssh"]);
    expect(shadowed.stderr).toContain("uses another identity");
  });

  it("refuses what is no SSH key, and repeats nothing of it", async () => {
    const repository = createRepository();
    await repository.ok(["keygen"]);
    const bogus = join(repository.home, "bogus");
    writeFileSync(bogus, "-----BEGIN OPENSSH PRIVATE KEY-----\nY2FuYXJ5\n-----END OPENSSH PRIVATE KEY-----\n");
    for (const file of [bogus, identityFile(repository)]) {
      const { code, stdout, stderr } = await repository.run(["keygen", "--ssh", file]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).not.toMatch(/Y2FuYXJ5|canary|AGE-SECRET/);
    }
    expect(await repository.run(["keygen", "--ssh"])).toMatchObject({ code: 4 });
  });

  it("is not what init takes by itself for a new repository, but where the policy knows it", async () => {
    const repository = createRepository();
    const publicText = makeSshKey(join(repository.home, ".ssh/id_ed25519"));
    const made = (await repository.ok(["init", "--yes", "--json"])).json<{ recipient: string }>();
    expect(made.recipient).toMatch(/^age1pq1/);
    const add = ["member", "add", "bob", "--recipient", publicText, "--role", "engineer", "--yes"];
    await repository.ok(add);
    const clone = { XDG_CONFIG_HOME: join(repository.home, "empty") };
    const again = (await repository.ok(["init", "--yes", "--json"], { env: clone })).json();
    expect(again).toMatchObject({ member: "bob", identity_file: null, recipient: publicText });
  });
});

describe("keygen --plugin", () => {
  const identity = encodeBech32("age-plugin-toy-", Buffer.from("public test key")).toUpperCase();
  const recipient = encodeBech32("age1toy", Buffer.from("public test key"));

  it("says which command makes a key, and takes the identity that it printed", async () => {
    const { repository, env } = withPlugin();
    const how = await repository.ok(["keygen", "--plugin", "toy"], { env });
    expect(how.stdout).toBe("age-plugin-toy --help\n");
    const text = `#  Serial: 1\n#    Recipient: ${recipient}\n${identity}`;
    const taken = await repository.ok(["keygen", "--plugin", "toy", "--identity-from", "-"], { env, stdin: text });
    expect(taken.stdout).toBe(`${recipient}\n`);
    expect(readFileSync(identityFile(repository), "utf8")).toBe(`${text}\n`);
    const { checks } = (await repository.run(["doctor", "--json"], { env })).json<{ checks: { name: string }[] }>();
    expect(checks.find(({ name }) => name === "plugin")).toMatchObject({ status: "ok" });
    const without = (await repository.run(["doctor", "--json"])).json<{ checks: { name: string }[] }>();
    expect(without.checks.find(({ name }) => name === "plugin")).toMatchObject({ status: "fail" });
    const again = await repository.run(["keygen", "--plugin", "toy", "--identity-from", "-"], { env, stdin: text });
    expect(again.code).toBe(7);
  });

  it.each([
    ["another plugin's", encodeBech32("age-plugin-other-", Buffer.of(1)).toUpperCase()],
    ["a bare key", "AGE-SECRET-KEY-CANARY"],
    ["nothing", "# Recipient: age1toy1"],
  ])("refuses %s", async (_, text) => {
    const { repository, env } = withPlugin();
    const result = await repository.run(["keygen", "--plugin", "toy", "--identity-from", "-"], { env, stdin: text });
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).not.toMatch(/CANARY|AGE-PLUGIN-OTHER/);
    expect(existsSync(identityFile(repository))).toBe(false);
  });

  it("refuses a plugin that is not there, and a name that is none", async () => {
    const { repository, env } = withPlugin();
    expect(await repository.run(["keygen", "--plugin", "none"], { env })).toMatchObject({ code: 9 });
    expect(await repository.run(["keygen", "--plugin", "../toy"], { env })).toMatchObject({ code: 2 });
  });
});

describe("keygen", () => {
  it.each([
    ["--ssh", "--keychain"],
    ["--passphrase", "--keychain"],
    ["--identity-from", "file"],
    ["--ssh", "--x25519"],
    ["--ssh", "-o", "file"],
    ["file"],
  ])("refuses %s %s", async (...words) => {
    const repository = createRepository();
    expect(await repository.run(["keygen", ...words])).toMatchObject({ code: 2, stdout: "" });
    expect(existsSync(identityFile(repository))).toBe(false);
  });
});

describe("doctor", () => {
  it("names each source, and warns of an encrypted file that others can read without asking for its passphrase", async () => {
    const repository = await createSealedRepository();
    const sealed = join(repository.home, "sealed.age");
    const { identity } = await generateIdentity("x25519");
    writeFileSync(sealed, await sealWithPassphrase(Buffer.from(identity), passphrase, 1));
    chmodSync(sealed, 0o644);
    const env = { SEALTREE_IDENTITY_FILE: sealed };
    const { checks } = (await repository.run(["doctor", "--json"], { env })).json<{ checks: { name: string }[] }>();
    expect(checks.filter(({ name }) => name === "identity")).toMatchObject([
      { status: "ok", message: expect.stringContaining("identities behind a passphrase") },
      { status: "ok", message: expect.stringContaining("1 identity") },
    ]);
    expect(checks.filter(({ name }) => name === "identity file")).toMatchObject([{ status: "warn" }, { status: "ok" }]);
  });
});

function identityFile(repository: TestRepository): string {
  return join(repository.home, ".config/sealtree/identity.txt");
}

function makeSshKey(file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-C", "test", "-N", "", "-f", file]);
  return readFileSync(`${file}.pub`, "utf8").split(" ").slice(0, 2).join(" ");
}

/** A repository, and an environment with a program age-plugin-toy that does nothing. */
function withPlugin() {
  const repository = createRepository();
  const bin = join(repository.home, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "age-plugin-toy"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  return { repository, env: { PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` } };
}
