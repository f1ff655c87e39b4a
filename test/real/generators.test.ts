import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { generateValue, parseGeneratorSpec, publicHalfOf } from "../../src/rotation/generator-spec.ts";
import { seededSources } from "../support/seeded-sources.ts";

const folder = mkdtempSync(join(tmpdir(), "sealtree-generators-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program; throws when it is not there or fails. */
function run(program: string, args: readonly string[], input = ""): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} gave ${String(status)}: ${stderr}`);
  return stdout + stderr;
}

interface MadePair {
  readonly value: string;
  readonly publicHalf: string;
  /** A file of the value, as the programs want it. */
  readonly file: string;
}

let count = 0;

/** Made now, because the programs look at the clock. */
async function makePair(text: string): Promise<MadePair> {
  const spec = parseGeneratorSpec(text);
  const now = new Date();
  const secret = await generateValue(spec, { ...seededSources(`real ${text}`), now: () => now });
  const value = secret.revealText() ?? "";
  const file = join(folder, `key-${(count += 1)}`);
  writeFileSync(file, value, { mode: 0o600 });
  return { value, publicHalf: await publicHalfOf(spec, secret, now), file };
}

describe("openssl", () => {
  it.each(["ed25519", "x25519", "ecdsa", "ecdsa:curve=p384", "ecdsa:curve=p521", "rsa:bits=2048", "rsa:bits=4096"])(
    "finds %s sound, and the same public half",
    async (text) => {
      const { value, publicHalf } = await makePair(text);
      expect(run("openssl", ["pkey", "-check", "-noout"], value)).toContain("Key is valid");
      expect(run("openssl", ["pkey", "-pubout"], value)).toBe(publicHalf);
    },
  );

  it.each(["key=ed25519", "key=ecdsa", "key=ecdsa,curve=p384", "key=ecdsa,curve=p521", "key=rsa,bits=2048"])(
    "verifies a certificate of %s, for a server and for a client",
    async (key) => {
      const { file, publicHalf } = await makePair(
        `certificate:cn=Test Service,o=Test Org,c=NO,dns=api.test+*.api.test,ip=127.0.0.1+::1,days=30,${key}`,
      );
      const certificate = `${file}.crt`;
      writeFileSync(certificate, publicHalf);
      for (const purpose of ["sslserver", "sslclient"]) {
        const strict = [
          "verify",
          "-x509_strict",
          "-check_ss_sig",
          "-purpose",
          purpose,
          "-verify_hostname",
          "x.api.test",
        ];
        expect(run("openssl", [...strict, "-CAfile", certificate, certificate])).toContain("OK");
      }
      const said = run("openssl", [
        "x509",
        "-in",
        file,
        "-noout",
        "-subject",
        "-ext",
        "subjectAltName",
        "-checkend",
        "0",
      ]);
      expect(said).toContain("C = NO, O = Test Org, CN = Test Service");
      expect(said).toContain("DNS:api.test, DNS:*.api.test, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
      expect(said).toContain("Certificate will not expire");
    },
  );

  it.each(["key=ed25519", "key=ecdsa", "key=ecdsa,curve=p384", "key=ecdsa,curve=p521", "key=rsa,bits=2048"])(
    "verifies a certificate request of %s, and signs it",
    async (key) => {
      const { publicHalf } = await makePair(`csr:cn=Test Service,dns=api.test,email=ops@api.test,${key}`);
      const said = run("openssl", ["req", "-verify", "-noout", "-text"], publicHalf);
      expect(said).toContain("verify OK");
      expect(said).toContain("Subject: CN = Test Service");
      expect(said).toContain("DNS:api.test, email:ops@api.test");
      const authority = await makePair("certificate:cn=Test Authority");
      const signed = run(
        "openssl",
        ["x509", "-req", "-CA", authority.file, "-CAkey", authority.file, "-copy_extensions", "copy", "-days", "1"],
        publicHalf,
      );
      expect(run("openssl", ["x509", "-noout", "-ext", "subjectAltName"], signed)).toContain("DNS:api.test");
    },
  );
});

describe("ssh-keygen", () => {
  it.each([
    ["ssh:comment=test@host", "256 ", "ED25519"],
    ["ssh:key=ecdsa,comment=test@host", "256 ", "ECDSA"],
    ["ssh:key=ecdsa,curve=p384,comment=test@host", "384 ", "ECDSA"],
    ["ssh:key=ecdsa,curve=p521,comment=test@host", "521 ", "ECDSA"],
    ["ssh:key=rsa,bits=2048,comment=test@host", "2048 ", "RSA"],
  ])("reads %s, and signs with it", async (text, bits, type) => {
    const { file, publicHalf } = await makePair(text);
    expect(run("ssh-keygen", ["-y", "-f", file])).toBe(publicHalf);
    const listed = run("ssh-keygen", ["-l", "-f", "-"], publicHalf);
    expect(listed.startsWith(bits)).toBe(true);
    expect(listed).toContain(`test@host (${type})`);
    const signers = `${file}.signers`;
    writeFileSync(signers, `tester ${publicHalf}`);
    const signature = `${file}.sig`;
    writeFileSync(signature, run("ssh-keygen", ["-Y", "sign", "-q", "-n", "file", "-f", file], "test message"));
    const check = ["-Y", "verify", "-f", signers, "-I", "tester", "-n", "file", "-s", signature];
    expect(run("ssh-keygen", check, "test message")).toContain('Good "file" signature');
  });

  it("puts a passphrase on it and takes it off again", async () => {
    const { file, publicHalf } = await makePair("ssh:comment=c");
    run("ssh-keygen", ["-q", "-p", "-P", "", "-N", "test passphrase", "-f", file]);
    run("ssh-keygen", ["-q", "-p", "-P", "test passphrase", "-N", "", "-f", file]);
    expect(run("ssh-keygen", ["-y", "-f", file])).toBe(publicHalf);
  });
});

describe("age-keygen and age", () => {
  it.each(["age", "age:key=x25519"])("read %s", async (text) => {
    const { value, publicHalf, file } = await makePair(text);
    expect(run("age-keygen", ["-y"], `${value}\n`)).toBe(publicHalf);
    const sealed = `${file}.age`;
    run("age", ["-r", publicHalf.trim(), "-o", sealed], "test message");
    expect(run("age", ["-d", "-i", file, sealed])).toBe("test message");
  });
});
