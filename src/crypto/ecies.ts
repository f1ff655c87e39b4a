import { createDecipheriv, createECDH, ECDH, hkdfSync } from "node:crypto";

const curve = "secp256k1";
const pointBytes = 65;
const nonceBytes = 16;
const tagBytes = 16;

/**
 * What `sealed` holds for a private key of secp256k1, sealed by ECIES as dotenvx does it (the library
 * eciesjs with its defaults): the ephemeral public key uncompressed, a nonce of 16 bytes, a tag and
 * the ciphertext of AES-256-GCM, whose key is HKDF-SHA256 over the ephemeral key and the shared
 * point. Undefined when it was sealed for another key, or was changed.
 */
export function openEcies(privateKey: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < pointBytes + nonceBytes + tagBytes) return undefined;
  const ephemeral = sealed.subarray(0, pointBytes);
  const nonce = sealed.subarray(pointBytes, pointBytes + nonceBytes);
  const tag = sealed.subarray(pointBytes + nonceBytes, pointBytes + nonceBytes + tagBytes);
  const text = sealed.subarray(pointBytes + nonceBytes + tagBytes);
  for (const point of sharedPoints(privateKey, ephemeral)) {
    const key = Buffer.from(hkdfSync("sha256", Buffer.concat([ephemeral, point]), "", "", 32));
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
    decipher.setAuthTag(tag);
    try {
      return Buffer.concat([decipher.update(text), decipher.final()]);
    } catch {
      // The other of the two points, or not our key.
    }
  }
  return undefined;
}

/** OpenSSL gives the x of the shared point and not its y, so that there are two it may be. */
function sharedPoints(privateKey: Uint8Array, ephemeral: Uint8Array): Buffer[] {
  try {
    const ecdh = createECDH(curve);
    ecdh.setPrivateKey(privateKey);
    const x = ecdh.computeSecret(ephemeral);
    return [2, 3].map((sign) => {
      const compressed = Buffer.concat([Buffer.from([sign]), x]);
      return ECDH.convertKey(compressed, curve, undefined, undefined, "uncompressed") as Buffer;
    });
  } catch {
    return [];
  }
}
