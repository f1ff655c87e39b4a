import { createHash, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { findSshBlob, type SshPublicKey } from "../../src/crypto/ssh-public-key.ts";
import { parseUnsigned, printPositive, printWire } from "../../src/crypto/ssh-wire.ts";
import { ed25519TestKey, pemBlock } from "../crypto/ssh-keys.ts";

/** A test key that signs as `ssh-keygen -Y sign` does. */
export interface TestSigner {
  readonly publicKey: SshPublicKey;
  /** The signature of some bytes in SSH's form, algorithm included. */
  signBytes(signed: Uint8Array): Uint8Array;
  /** An armored signature over `message`. */
  sign(message: Uint8Array, options?: SignOptions): string;
}

export interface SignOptions {
  readonly namespace?: string;
  readonly hash?: "sha256" | "sha512";
  /** What stands in the signature, where it is to be wrong. */
  readonly version?: number;
  readonly reserved?: string;
  readonly trailing?: Uint8Array;
}

/** How a security key says that it was used. */
export interface SecurityKeyOptions {
  readonly flags?: number;
  readonly application?: string;
}

const curves = {
  nistp256: { name: "P-256", hash: "sha256" },
  nistp384: { name: "P-384", hash: "sha384" },
  nistp521: { name: "P-521", hash: "sha512" },
} as const;

/** The signer of an ed25519 key whose name says what it is. */
export function ed25519Signer(name: string): TestSigner {
  const { keyObject, publicKey } = ed25519TestKey(name);
  return signer(publicKey, (signed) => printWire(["ssh-ed25519", sign(null, signed, keyObject)]));
}

export function rsaSigner(hash: "sha1" | "sha256" | "sha512" = "sha512", bits = 2048): TestSigner {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  const { n = "", e = "" } = publicKey.export({ format: "jwk" });
  const [exponent, modulus] = [e, n].map((text) => printPositive(parseUnsigned(Buffer.from(text, "base64url"))));
  const algorithm = { sha1: "ssh-rsa", sha256: "rsa-sha2-256", sha512: "rsa-sha2-512" }[hash];
  return signer(keyOf(printWire(["ssh-rsa", exponent ?? "", modulus ?? ""])), (signed) =>
    printWire([algorithm, sign(hash, signed, privateKey)]),
  );
}

export function ecdsaSigner(curve: keyof typeof curves): TestSigner {
  const { point, privateKey } = ecPair(curve);
  const type = `ecdsa-sha2-${curve}`;
  return signer(keyOf(printWire([type, curve, point])), (signed) =>
    printWire([type, ecdsa(curves[curve].hash, signed, privateKey)]),
  );
}

/** A key that a security key would hold; PROTOCOL.u2f of OpenSSH says what it signs. */
export function skEd25519Signer(name: string, options: SecurityKeyOptions = {}): TestSigner {
  const { flags = 1, application = "ssh:" } = options;
  const { keyObject, publicKey } = ed25519TestKey(name);
  const type = "sk-ssh-ed25519@openssh.com";
  return signer(keyOf(printWire([type, publicKey.blob.subarray(-32), application])), (signed) => {
    const inner = sign(null, u2fMessage(application, flags, signed), keyObject);
    return Buffer.concat([printWire([type, inner]), u2fTail(flags)]);
  });
}

export function skEcdsaSigner({ flags = 1, application = "ssh:" }: SecurityKeyOptions = {}): TestSigner {
  const { point, privateKey } = ecPair("nistp256");
  const type = "sk-ecdsa-sha2-nistp256@openssh.com";
  return signer(keyOf(printWire([type, "nistp256", point, application])), (signed) => {
    const inner = ecdsa("sha256", u2fMessage(application, flags, signed), privateKey);
    return Buffer.concat([printWire([type, inner]), u2fTail(flags)]);
  });
}

/** Bytes as an armored SSH signature. */
export function armor(bytes: Uint8Array): string {
  return pemBlock("SSH SIGNATURE", bytes);
}

function signer(publicKey: SshPublicKey, signBytes: TestSigner["signBytes"]): TestSigner {
  return {
    publicKey,
    signBytes,
    sign(message, { namespace = "git", hash = "sha512", version = 1, reserved = "", trailing } = {}) {
      const digest = createHash(hash).update(message).digest();
      const signed = Buffer.concat([Buffer.from("SSHSIG"), printWire([namespace, reserved, hash, digest])]);
      const number = Buffer.alloc(4);
      number.writeUInt32BE(version);
      const fields = printWire([publicKey.blob, namespace, reserved, hash, signBytes(signed)]);
      return armor(Buffer.concat([Buffer.from("SSHSIG"), number, fields, trailing ?? new Uint8Array(0)]));
    },
  };
}

function keyOf(blob: Uint8Array): SshPublicKey {
  const key = findSshBlob(blob);
  if (key === undefined) throw new Error("the test key is none");
  return key;
}

function ecPair(curve: keyof typeof curves): { readonly point: Uint8Array; readonly privateKey: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: curves[curve].name });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  return { point, privateKey };
}

function ecdsa(hash: string, message: Uint8Array, key: KeyObject): Uint8Array {
  const fixed = sign(hash, message, { key, dsaEncoding: "ieee-p1363" });
  const half = fixed.length / 2;
  return printWire([fixed.subarray(0, half), fixed.subarray(half)].map((part) => printPositive(parseUnsigned(part))));
}

function u2fMessage(application: string, flags: number, signed: Uint8Array): Uint8Array {
  const [place, content] = [Buffer.from(application), signed].map((part) => createHash("sha256").update(part).digest());
  return Buffer.concat([place ?? Buffer.alloc(0), u2fTail(flags), content ?? Buffer.alloc(0)]);
}

function u2fTail(flags: number): Uint8Array {
  return Buffer.of(flags, 0, 0, 0, 7);
}
