import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import { parseBase64, printBase64 } from "./age-base64.ts";
import type { Stanza } from "./age-header.ts";
import { openChunk, sealChunk } from "./age-stream.ts";
import { printBase64url } from "./base64url.ts";

/** An X25519 key pair in memory. */
export interface X25519Key {
  readonly privateKey: KeyObject;
  readonly publicKey: Uint8Array;
}

/** The type of an X25519 stanza. */
export const x25519Stanza = "X25519";

const label = "age-encryption.org/v1/X25519";
const zeroNonce = new Uint8Array(12);
const privatePrefix = Buffer.from("302e020100300506032b656e04220420", "hex");

/** The canonical u-coordinates of small order (Bernstein, "Curve25519", 2006, and cr.yp.to/ecdh.html). */
const smallOrder = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/**
 * True for 32 bytes that a private key can have as its public half. Bytes that are not the
 * canonical form (RFC 7748 section 5) would wrap a key nobody can unwrap.
 */
export function isX25519PublicKey(bytes: Uint8Array): boolean {
  if (bytes.length !== 32) return false;
  const hex = Buffer.from(bytes).toString("hex");
  const value = BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
  return value < 2n ** 255n - 19n && !smallOrder.has(hex);
}

/** The key pair of 32 private bytes. */
export function importX25519Key(scalar: Uint8Array): X25519Key {
  const privateKey = createPrivateKey({
    key: Buffer.concat([privatePrefix, scalar]),
    format: "der",
    type: "pkcs8",
  });
  return { privateKey, publicKey: rawPublicKey(createPublicKey(privateKey)) };
}

/** A key pair that is used for one stanza. */
export function ephemeralX25519Key(): X25519Key {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  return { privateKey, publicKey: rawPublicKey(publicKey) };
}

/** X25519 (RFC 7748); undefined when the result is all zero, as section 6.1 asks. */
export function agreeX25519(key: X25519Key, publicKey: Uint8Array): Uint8Array | undefined {
  const other = imported.get(publicKey) ?? importPublicKey(publicKey);
  try {
    const shared = diffieHellman({ privateKey: key.privateKey, publicKey: other });
    return shared.some((byte) => byte !== 0) ? shared : undefined;
  } catch {
    return undefined;
  }
}

/** Public keys in the form Node uses, as long as their bytes are in use: many files are for the same few. */
const imported = new WeakMap<Uint8Array, KeyObject>();

function importPublicKey(bytes: Uint8Array): KeyObject {
  const jwk = { kty: "OKP", crv: "X25519", x: printBase64url(bytes) };
  const key = createPublicKey({ key: jwk, format: "jwk" });
  imported.set(bytes, key);
  return key;
}

/** `fileKey` for one X25519 recipient (C2SP age.md, "The X25519 recipient type"). */
export function wrapX25519(publicKey: Uint8Array, fileKey: Uint8Array): Stanza | undefined {
  const ephemeral = ephemeralX25519Key();
  const shared = agreeX25519(ephemeral, publicKey);
  if (shared === undefined) return undefined;
  const key = wrappingKey(shared, ephemeral.publicKey, publicKey);
  const share = printBase64(ephemeral.publicKey, "bare");
  return { args: [x25519Stanza, share], body: sealChunk(key, zeroNonce, fileKey) };
}

/**
 * The file key in a stanza of type {@link x25519Stanza}: `foreign` when it is for another
 * key, `broken` when its share has small order.
 */
export function unwrapX25519(key: X25519Key, stanza: Stanza): Uint8Array | "foreign" | "broken" {
  const share = parseBase64(stanza.args[1] ?? "", "bare") ?? new Uint8Array(32);
  const shared = agreeX25519(key, share);
  if (shared === undefined) return "broken";
  return openChunk(wrappingKey(shared, share, key.publicKey), zeroNonce, stanza.body) ?? "foreign";
}

function wrappingKey(shared: Uint8Array, share: Uint8Array, recipient: Uint8Array): Uint8Array {
  return Buffer.from(hkdfSync("sha256", shared, Buffer.concat([share, recipient]), label, 32));
}

// A JWK, because the first use of DER costs OpenSSL more than half a millisecond.
function rawPublicKey(key: KeyObject): Uint8Array {
  return Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url");
}
