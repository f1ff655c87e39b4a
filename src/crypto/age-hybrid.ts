import { createHash, createHmac, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { parseBase64, printBase64 } from "./age-base64.ts";
import type { Stanza } from "./age-header.ts";
import { openChunk, sealChunk } from "./age-stream.ts";
import { agreeX25519, ephemeralX25519Key, importX25519Key, isX25519PublicKey, type X25519Key } from "./age-x25519.ts";

/** A hybrid private key: an ML-KEM-768 key and an X25519 key, grown from one seed. */
export interface HybridKey {
  readonly mlkem: KeyObject;
  readonly x25519: X25519Key;
}

/** A hybrid public key that Node can encapsulate to. */
export interface HybridPublicKey {
  readonly mlkem: KeyObject;
  readonly x25519: Uint8Array;
}

/** Node 24.7 and later; the types we compile against are those of Node 20. */
interface KeyEncapsulation {
  encapsulate(key: KeyObject): { readonly sharedKey: Uint8Array; readonly ciphertext: Uint8Array };
  decapsulate(key: KeyObject, ciphertext: Uint8Array): Uint8Array;
}

/** The type of a hybrid stanza. */
export const hybridStanza = "mlkem768x25519";

const label = "age-encryption.org/mlkem768x25519";
const mlkemPublicBytes = 1184;
const mlkemCiphertextBytes = 1088;
const mlkemModulus = 3329;
const xwingLabel = Buffer.from("5c2e2f2f5e5c", "hex");
const privatePrefix = Buffer.from("3054020100300b060960864801650304040204428040", "hex");
const publicPrefix = Buffer.from("308204b2300b0609608648016503040402038204a100", "hex");
const kem: Partial<KeyEncapsulation> & { readonly createHash: unknown } = process.getBuiltinModule("node:crypto");

/** True for 1216 bytes that are an X-Wing public key, with the check of FIPS 203 section 7.2. */
export function isHybridPublicKey(bytes: Uint8Array): boolean {
  if (bytes.length !== mlkemPublicBytes + 32) return false;
  for (let at = 0; at < mlkemPublicBytes - 32; at += 3) {
    const pair = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    if ((pair & 0xfff) >= mlkemModulus || pair >> 12 >= mlkemModulus) return false;
  }
  return isX25519PublicKey(bytes.subarray(mlkemPublicBytes));
}

/**
 * The key pair of a 32-byte seed (draft-connolly-cfrg-xwing-kem, section 5.2); undefined
 * when this Node has no ML-KEM.
 */
export function importHybridKey(seed: Uint8Array): HybridKey | undefined {
  if (kem.decapsulate === undefined) return undefined;
  const expanded = createHash("shake256", { outputLength: 96 }).update(seed).digest();
  const key = Buffer.concat([privatePrefix, expanded.subarray(0, 64)]);
  const mlkem = importOrNothing(() => createPrivateKey({ key, format: "der", type: "pkcs8" }));
  return mlkem && { mlkem, x25519: importX25519Key(expanded.subarray(64)) };
}

/** The 1216 public bytes of a key pair. */
export function hybridPublicKey(key: HybridKey): Uint8Array {
  const spki = createPublicKey(key.mlkem).export({ format: "der", type: "spki" });
  return Buffer.concat([spki.subarray(publicPrefix.length), key.x25519.publicKey]);
}

/** The public key in 1216 bytes of a kind {@link isHybridPublicKey} takes; undefined without ML-KEM. */
export function importHybridPublicKey(bytes: Uint8Array): HybridPublicKey | undefined {
  if (kem.encapsulate === undefined) return undefined;
  const known = imported.get(bytes);
  if (known !== undefined) return known;
  const der = Buffer.concat([publicPrefix, bytes.subarray(0, mlkemPublicBytes)]);
  const mlkem = importOrNothing(() => createPublicKey({ key: der, format: "der", type: "spki" }));
  if (mlkem === undefined) return undefined;
  const key = { mlkem, x25519: bytes.subarray(mlkemPublicBytes) };
  imported.set(bytes, key);
  return key;
}

/** Public keys in the form Node uses, as long as their bytes are in use: many files are for the same few. */
const imported = new WeakMap<Uint8Array, HybridPublicKey>();

/** `fileKey` for one hybrid recipient (C2SP age.md, "The MLKEM768-X25519 recipient type"). */
export function wrapHybrid(publicKey: HybridPublicKey, fileKey: Uint8Array): Stanza | undefined {
  const ephemeral = ephemeralX25519Key();
  const shared = agreeX25519(ephemeral, publicKey.x25519);
  const encapsulated = kem.encapsulate?.(publicKey.mlkem);
  if (shared === undefined || encapsulated === undefined) return undefined;
  const secret = combine(encapsulated.sharedKey, shared, ephemeral.publicKey, publicKey.x25519);
  const { key, nonce } = hpkeSchedule(secret);
  const enc = Buffer.concat([encapsulated.ciphertext, ephemeral.publicKey]);
  return { args: [hybridStanza, printBase64(enc, "bare")], body: sealChunk(key, nonce, fileKey) };
}

/**
 * The file key in a stanza of type {@link hybridStanza}: `foreign` when it is for another
 * key, `broken` when its X25519 share has small order.
 */
export function unwrapHybrid(key: HybridKey, stanza: Stanza): Uint8Array | "foreign" | "broken" {
  const enc = parseBase64(stanza.args[1] ?? "", "bare") ?? new Uint8Array(0);
  const share = enc.subarray(mlkemCiphertextBytes);
  const shared = agreeX25519(key.x25519, share);
  const mlkemShared = kem.decapsulate?.(key.mlkem, enc.subarray(0, mlkemCiphertextBytes));
  if (shared === undefined || mlkemShared === undefined) return "broken";
  const schedule = hpkeSchedule(combine(mlkemShared, shared, share, key.x25519.publicKey));
  return openChunk(schedule.key, schedule.nonce, stanza.body) ?? "foreign";
}

/** X-Wing's combiner (draft-connolly-cfrg-xwing-kem, section 5.3). */
function combine(mlkemShared: Uint8Array, shared: Uint8Array, share: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return createHash("sha3-256")
    .update(mlkemShared)
    .update(shared)
    .update(share)
    .update(publicKey)
    .update(xwingLabel)
    .digest();
}

/** HPKE base mode (RFC 9180 section 5.1) for KEM 0x647a, HKDF-SHA256 and ChaCha20-Poly1305. */
function hpkeSchedule(shared: Uint8Array) {
  const empty = new Uint8Array(0);
  const pskIdHash = labeledExtract(empty, "psk_id_hash", empty);
  const context = Buffer.concat([Buffer.of(0), pskIdHash, labeledExtract(empty, "info_hash", Buffer.from(label))]);
  const secret = labeledExtract(shared, "secret", empty);
  return {
    key: labeledExpand(secret, "key", context, 32),
    nonce: labeledExpand(secret, "base_nonce", context, 12),
  };
}

const hpkePrefix = Buffer.concat([Buffer.from("HPKE-v1HPKE"), Buffer.of(0x64, 0x7a, 0x00, 0x01, 0x00, 0x03)]);

function labeledExtract(salt: Uint8Array, name: string, input: Uint8Array): Uint8Array {
  return createHmac("sha256", salt).update(hpkePrefix).update(name).update(input).digest();
}

/** One block of HKDF-Expand, so `length` is at most 32. */
function labeledExpand(secret: Uint8Array, name: string, info: Uint8Array, length: number): Uint8Array {
  const mac = createHmac("sha256", secret).update(Buffer.of(0, length)).update(hpkePrefix).update(name).update(info);
  return mac.update(Buffer.of(1)).digest().subarray(0, length);
}

function importOrNothing(importKey: () => KeyObject): KeyObject | undefined {
  try {
    return importKey();
  } catch {
    return undefined;
  }
}
