import { constants, createDecipheriv, privateDecrypt, type KeyObject } from "node:crypto";

/** What a controller gets out of one value of a SealedSecret (its HybridDecrypt). Throws when key or label are others. */
export function openSealedValue(sealed: string, key: KeyObject, label: string): Buffer {
  const bytes = Buffer.from(sealed, "base64");
  const length = bytes.readUInt16BE(0);
  const session = privateDecrypt(
    { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256", oaepLabel: Buffer.from(label) },
    bytes.subarray(2, 2 + length),
  );
  const decipher = createDecipheriv("aes-256-gcm", session, Buffer.alloc(12));
  decipher.setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(2 + length, -16)), decipher.final()]);
}
