import {
  createCipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from "node:crypto";

/** X25519 scalar in PKCS#8 (RFC 8410). */
const privateKeyPrefix = Buffer.from("302e020100300506032b656e04220420", "hex");

/** {@link craftBinaryAgeFile} in armor. */
export function craftAgeFile(scalars: readonly Uint8Array[], plaintext: Uint8Array): string {
  return armor(craftBinaryAgeFile(scalars, plaintext));
}

/**
 * An age v1 file (C2SP age specification) to the recipients of `scalars`, with every random
 * choice fixed, so that a vector can be made again. Only for payloads up to 64 KiB.
 */
export function craftBinaryAgeFile(scalars: readonly Uint8Array[], plaintext: Uint8Array): Buffer {
  const fileKey = Buffer.from("TEST FILE KEY 16", "ascii");
  const payloadNonce = Buffer.from("TEST NONCE OF 16", "ascii");
  const stanzas = scalars.map((scalar, index) => craftStanza(importScalar(scalar), fileKey, index));
  const header = `age-encryption.org/v1\n${stanzas.join("")}---`;
  const mac = createHmac("sha256", derive(fileKey, "", "header"))
    .update(header)
    .digest();
  const body = encrypt(derive(fileKey, payloadNonce, "payload"), lastChunkNonce(), plaintext);
  return Buffer.concat([Buffer.from(`${header} ${unpadded(mac)}\n`), payloadNonce, body]);
}

/** PEM-like armor around any bytes. */
export function armor(bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return ["-----BEGIN AGE ENCRYPTED FILE-----", ...lines, "-----END AGE ENCRYPTED FILE-----", ""].join("\n");
}

function craftStanza(reader: KeyObject, fileKey: Uint8Array, index: number): string {
  const ephemeral = importScalar(Buffer.from(`sealtree test ephemeral key no ${index}`, "ascii"));
  const recipient = publicBytes(reader);
  const share = publicBytes(ephemeral);
  const secret = diffieHellman({ privateKey: ephemeral, publicKey: createPublicKey(reader) });
  const wrapKey = derive(secret, Buffer.concat([share, recipient]), "age-encryption.org/v1/X25519");
  return `-> X25519 ${unpadded(share)}\n${unpadded(encrypt(wrapKey, Buffer.alloc(12), fileKey))}\n`;
}

function importScalar(scalar: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([privateKeyPrefix, scalar]), format: "der", type: "pkcs8" });
}

function publicBytes(privateKey: KeyObject): Buffer {
  return createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(-32);
}

function derive(secret: Uint8Array, salt: Uint8Array | string, info: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, info, 32));
}

function encrypt(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function lastChunkNonce(): Buffer {
  return Buffer.from("000000000000000000000001", "hex");
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}
