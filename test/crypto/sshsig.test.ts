import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findSshSignature, isSignatureOf } from "../../src/crypto/sshsig.ts";
import { printWire } from "../../src/crypto/ssh-wire.ts";
import {
  armor,
  ecdsaSigner,
  ed25519Signer,
  rsaSigner,
  skEcdsaSigner,
  skEd25519Signer,
  type SignOptions,
  type TestSigner,
} from "../support/ssh-signers.ts";

const message = Buffer.from("tree of a test\n\nmessage\n");
const alice = ed25519Signer("alice");

const signers: Readonly<Record<string, TestSigner>> = {
  "ssh-ed25519": alice,
  "rsa-sha2-256": rsaSigner("sha256"),
  "rsa-sha2-512": rsaSigner("sha512", 3072),
  "ecdsa-sha2-nistp256": ecdsaSigner("nistp256"),
  "ecdsa-sha2-nistp384": ecdsaSigner("nistp384"),
  "ecdsa-sha2-nistp521": ecdsaSigner("nistp521"),
  "sk-ssh-ed25519@openssh.com": skEd25519Signer("alice"),
  "sk-ecdsa-sha2-nistp256@openssh.com": skEcdsaSigner(),
};

/** Whether the armored text is a good signature of the message. */
function isGood(armored: string, over: Uint8Array = message): boolean {
  const found = findSshSignature(armored);
  return found !== undefined && isSignatureOf(found, over);
}

function bytesOf(armored: string): Buffer {
  return Buffer.from(armored.split("\n").slice(1, -2).join(""), "base64");
}

describe.each(Object.entries(signers))("a signature by %s", (_type, signer) => {
  it("is one of its message, with either hash, and of no other", () => {
    for (const hash of ["sha256", "sha512"] as const) {
      const armored = signer.sign(message, { hash, namespace: "git" });
      expect(findSshSignature(armored)).toMatchObject({
        namespace: "git",
        hash,
        publicKey: { text: signer.publicKey.text },
      });
      expect(isGood(armored)).toBe(true);
      expect(isGood(armored, Buffer.concat([message, Buffer.of(0)]))).toBe(false);
    }
  });

  it("does not survive the change of any byte", () => {
    const bytes = bytesOf(signer.sign(message));
    const positions = Array.from({ length: bytes.length }, (_, index) => index).filter(
      (index) => bytes.length < 300 || index % 7 === 0,
    );
    for (const position of positions) {
      const changed = Buffer.from(bytes);
      changed[position] = (changed[position] ?? 0) ^ 0x01;
      expect(isGood(armor(changed)), `byte ${position}`).toBe(false);
    }
  });

  it("does not survive being cut or made longer", () => {
    const bytes = bytesOf(signer.sign(message));
    for (let length = 0; length < bytes.length; length += 11)
      expect(isGood(armor(bytes.subarray(0, length)))).toBe(false);
    expect(isGood(armor(Buffer.concat([bytes, Buffer.of(0)])))).toBe(false);
  });
});

describe("findSshSignature", () => {
  const refused: Readonly<Record<string, SignOptions>> = {
    "another version": { version: 2 },
    "version zero": { version: 0 },
    "bytes in the reserved field": { reserved: "x" },
    "no namespace": { namespace: "" },
    "bytes behind the end": { trailing: Buffer.from("more") },
    "an unknown hash": { hash: "sha1" as "sha256" },
  };

  it.each(Object.entries(refused))("refuses %s", (_name, options) => {
    expect(findSshSignature(alice.sign(message, options))).toBeUndefined();
  });

  it("reads the namespace as it is, so that it can be compared", () => {
    expect(findSshSignature(alice.sign(message, { namespace: "file" }))?.namespace).toBe("file");
  });

  const good = alice.sign(message);
  const texts: Readonly<Record<string, string>> = {
    nothing: "",
    "text before it": ` ${good}`,
    "text behind it": `${good}\n`,
    "no last line break": good.trimEnd(),
    CRLF: good.replaceAll("\n", "\r\n"),
    "a blank line": good.replace("\n", "\n\n"),
    "a blank line at the end": good.replace("\n-----END", "\n\n-----END"),
    "a space in a line": good.replace(/(\n.{10})/, "$1 "),
    "lines of different lengths": good.replace(/(\n.{30})/, "$1\n"),
    "another label": good.replaceAll("SSH SIGNATURE", "PGP SIGNATURE"),
    "base64 of web addresses": good.replaceAll("+", "-").replaceAll("/", "_").replace("U1NI", "U1N-"),
    "no content": "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n",
    "bits that base64 leaves over": `-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAR==\n-----END SSH SIGNATURE-----\n`,
    "one line too long": armor(bytesOf(good)).replace(/\n([^-\n]+)\n([^-\n]+)\n/, "\n$1$2\n"),
  };

  it.each(Object.entries(texts))("refuses %s", (_name, text) => {
    expect(findSshSignature(text)).toBeUndefined();
  });

  it("takes lines as long as other tools make them", () => {
    for (const width of [64, 70, 76]) {
      const lines =
        bytesOf(good)
          .toString("base64")
          .match(new RegExp(`.{1,${width}}`, "g")) ?? [];
      expect(isGood(["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n"))).toBe(
        true,
      );
    }
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(isGood(armor(bytes))).toBe(false);
        expect(isGood(armor(Buffer.concat([bytesOf(good).subarray(0, 10), bytes])))).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

describe("isSignatureOf", () => {
  it("refuses RSA with SHA-1, and RSA keys below 2048 bits", () => {
    expect(isGood(rsaSigner("sha1").sign(message))).toBe(false);
    expect(isGood(rsaSigner("sha512", 1024).sign(message))).toBe(false);
  });

  it("refuses a security key that nobody touched, and takes one whose user was verified too", () => {
    expect(isGood(skEd25519Signer("alice", { flags: 0 }).sign(message))).toBe(false);
    expect(isGood(skEcdsaSigner({ flags: 4 }).sign(message))).toBe(false);
    expect(isGood(skEd25519Signer("alice", { flags: 5 }).sign(message))).toBe(true);
  });

  it("refuses a signature under the name of another algorithm", () => {
    const other: TestSigner = signers["ecdsa-sha2-nistp384"] ?? alice;
    const signed = alice.signBytes(message);
    const fields = printWire([other.publicKey.blob, "git", "", "sha512", signed]);
    const head = Buffer.from("SSHSIG\0\0\0\u0001", "latin1");
    expect(isGood(armor(Buffer.concat([head, fields])))).toBe(false);
  });

  it("refuses a point that is not on its curve", () => {
    const key = printWire(["ecdsa-sha2-nistp256", "nistp256", Buffer.concat([Buffer.of(4), Buffer.alloc(64, 1)])]);
    const inner = printWire([Buffer.of(1), Buffer.of(1)]);
    const fields = printWire([key, "git", "", "sha512", printWire(["ecdsa-sha2-nistp256", inner])]);
    expect(isGood(armor(Buffer.concat([Buffer.from("SSHSIG\0\0\0\u0001", "latin1"), fields])))).toBe(false);
  });
});
