import { createHash, createPublicKey, verify, type KeyObject } from "node:crypto";
import { printBase64url } from "./base64url.ts";
import { ed25519BytesOf, rsaNumbersOf, type SshPublicKey } from "./ssh-public-key.ts";
import { findSshFlaw } from "./ssh-strength.ts";
import { printUnsigned, readWire, type WireReader } from "./ssh-wire.ts";

/** What is left to verify of a signature that is well formed. */
interface Check {
  readonly hash: string | null;
  readonly message: Uint8Array;
  /** As node:crypto takes it; of a curve, both numbers at full length. */
  readonly signature: Uint8Array;
}

/** How one algorithm of a signature is read: what stands after its name. Undefined when it is not right. */
interface Scheme {
  readonly keyType: string;
  read(key: SshPublicKey, wire: WireReader, signed: Uint8Array): Check | undefined;
}

/** A number of a curve, in bytes, and the hash that goes with it (RFC 5656, section 6.2.1). */
const curves = {
  "ecdsa-sha2-nistp256": { crv: "P-256", bytes: 32, hash: "sha256" },
  "ecdsa-sha2-nistp384": { crv: "P-384", bytes: 48, hash: "sha384" },
  "ecdsa-sha2-nistp521": { crv: "P-521", bytes: 66, hash: "sha512" },
} as const;
type CurveType = keyof typeof curves;

/** Of the flags of a security key: somebody touched it (PROTOCOL.u2f of OpenSSH). */
const userPresent = 0x01;

const schemes: Readonly<Record<string, Scheme>> = {
  "ssh-ed25519": { keyType: "ssh-ed25519", read: (_key, wire, signed) => readEd25519(wire.string(), signed) },
  "rsa-sha2-256": { keyType: "ssh-rsa", read: (key, wire, signed) => readRsa("sha256", key, wire.string(), signed) },
  "rsa-sha2-512": { keyType: "ssh-rsa", read: (key, wire, signed) => readRsa("sha512", key, wire.string(), signed) },
  "ecdsa-sha2-nistp256": ecdsaScheme("ecdsa-sha2-nistp256"),
  "ecdsa-sha2-nistp384": ecdsaScheme("ecdsa-sha2-nistp384"),
  "ecdsa-sha2-nistp521": ecdsaScheme("ecdsa-sha2-nistp521"),
  "sk-ssh-ed25519@openssh.com": {
    keyType: "sk-ssh-ed25519@openssh.com",
    read: (key, wire, signed) => readSecurityKey(key, wire, signed, readEd25519),
  },
  "sk-ecdsa-sha2-nistp256@openssh.com": {
    keyType: "sk-ecdsa-sha2-nistp256@openssh.com",
    read: (key, wire, signed) =>
      readSecurityKey(key, wire, signed, (inner, message) => readEcdsa("ecdsa-sha2-nistp256", inner, message)),
  },
};

/**
 * True when `signature`, in SSH's form (RFC 4253, section 6.6), is one of `key` over `signed`. False
 * for every other: an algorithm that does not belong to the key, SHA-1, an RSA key below 2048 bits,
 * a security key that nobody touched, bytes too many, numbers not in their only form.
 */
export function isSshSignature(key: SshPublicKey, signature: Uint8Array, signed: Uint8Array): boolean {
  const check = readWire(signature, (wire) => {
    const algorithm = wire.text();
    const scheme = Object.hasOwn(schemes, algorithm) ? schemes[algorithm] : undefined;
    return scheme?.keyType === key.type ? scheme.read(key, wire, signed) : undefined;
  });
  const keyObject = check === undefined ? undefined : findKeyObject(key);
  if (check === undefined || keyObject === undefined) return false;
  return verify(check.hash, check.message, { key: keyObject, dsaEncoding: "ieee-p1363" }, check.signature);
}

/** RFC 8709, section 6. */
function readEd25519(inner: Uint8Array, message: Uint8Array): Check | undefined {
  return inner.length === 64 ? { hash: null, message, signature: inner } : undefined;
}

/** RFC 8332, section 3; a signature is as long as the modulus. */
function readRsa(hash: string, key: SshPublicKey, inner: Uint8Array, message: Uint8Array): Check | undefined {
  const modulus = rsaNumbersOf(key)?.modulus;
  if (modulus === undefined || inner.length !== printUnsigned(modulus).length) return undefined;
  return { hash, message, signature: inner };
}

function ecdsaScheme(keyType: CurveType): Scheme {
  return { keyType, read: (_key, wire, signed) => readEcdsa(keyType, wire.string(), signed) };
}

/** RFC 5656, section 3.1.2. */
function readEcdsa(type: CurveType, inner: Uint8Array, message: Uint8Array): Check | undefined {
  const { bytes, hash } = curves[type];
  const numbers = readWire(inner, (wire) => [printUnsigned(wire.number()), printUnsigned(wire.number())]);
  if (numbers === undefined || numbers.some((number) => number.length > bytes)) return undefined;
  const full = numbers.map((number) => Buffer.concat([Buffer.alloc(bytes - number.length), number]));
  return { hash, message, signature: Buffer.concat(full) };
}

/** PROTOCOL.u2f of OpenSSH, "SSH U2F Signatures". */
function readSecurityKey(
  key: SshPublicKey,
  wire: WireReader,
  signed: Uint8Array,
  read: (inner: Uint8Array, message: Uint8Array) => Check | undefined,
): Check | undefined {
  const inner = wire.string();
  const [flags, counter] = [wire.bytes(1), wire.bytes(4)];
  if (((flags[0] ?? 0) & userPresent) === 0) return undefined;
  const application = sha256(Buffer.from(applicationOf(key), "latin1"));
  return read(inner, Buffer.concat([application, flags, counter, sha256(signed)]));
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

/** Keys as node:crypto has them, undefined for those that are none: a history has many signatures of few keys. */
const keyObjects = new Map<string, KeyObject | undefined>();
const maxKeyObjects = 1024;

function findKeyObject(key: SshPublicKey): KeyObject | undefined {
  if (!keyObjects.has(key.text)) {
    if (keyObjects.size >= maxKeyObjects) keyObjects.clear();
    keyObjects.set(key.text, importKey(key));
  }
  return keyObjects.get(key.text);
}

function importKey(key: SshPublicKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: toJwk(key), format: "jwk" });
  } catch {
    // Numbers that make no key, such as a point that is not on its curve.
    return undefined;
  }
}

function toJwk(key: SshPublicKey): Record<string, string> {
  const ed25519 = key.type === "sk-ssh-ed25519@openssh.com" ? pointOf(key) : ed25519BytesOf(key);
  if (ed25519 !== undefined) return { kty: "OKP", crv: "Ed25519", x: printBase64url(ed25519) };
  const rsa = rsaNumbersOf(key);
  if (rsa !== undefined) {
    if (findSshFlaw(key) !== undefined) throw new Error("the key is too weak");
    return {
      kty: "RSA",
      n: printBase64url(printUnsigned(rsa.modulus)),
      e: printBase64url(printUnsigned(rsa.exponent)),
    };
  }
  const type = key.type === "sk-ecdsa-sha2-nistp256@openssh.com" ? "ecdsa-sha2-nistp256" : (key.type as CurveType);
  const { crv, bytes } = curves[type];
  const point = pointOf(key);
  return {
    kty: "EC",
    crv,
    x: printBase64url(point.subarray(1, 1 + bytes)),
    y: printBase64url(point.subarray(1 + bytes)),
  };
}

/** The public point of a key of a curve, or of a security key. */
function pointOf(key: SshPublicKey): Uint8Array {
  const point = readWire(key.blob, (wire) => {
    if (wire.text() !== "sk-ssh-ed25519@openssh.com") wire.text();
    const found = wire.string();
    wire.rest();
    return found;
  });
  return point ?? new Uint8Array(0);
}

/** What a security key was made for: the last field of its blob. */
function applicationOf(key: SshPublicKey): string {
  const application = readWire(key.blob, (wire) => {
    if (wire.text() !== "sk-ssh-ed25519@openssh.com") wire.text();
    wire.string();
    return wire.text();
  });
  return application ?? "";
}
