import { createCipheriv, createDecipheriv } from "node:crypto";

const cipherName = "chacha20-poly1305";
const chunkBytes = 64 * 1024;
const tagBytes = 16;
const sealedChunkBytes = chunkBytes + tagBytes;

/** `plaintext` as a STREAM under a key that is used once (C2SP age.md, "Payload"). */
export function sealStream(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const count = Math.max(1, Math.ceil(plaintext.length / chunkBytes));
  const chunks: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const place = index === count - 1 ? "last" : "inner";
    const chunk = plaintext.subarray(index * chunkBytes, (index + 1) * chunkBytes);
    chunks.push(sealChunk(key, chunkNonce(index, place), chunk));
  }
  return Buffer.concat(chunks);
}

/**
 * The plaintext of a whole STREAM; undefined when a chunk does not open, the last one is
 * missing, or an empty one follows another.
 */
export function openStream(key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  const count = Math.max(1, Math.ceil(sealed.length / sealedChunkBytes));
  const lastBytes = sealed.length - (count - 1) * sealedChunkBytes - tagBytes;
  if (lastBytes < 0 || (lastBytes === 0 && count > 1)) return undefined;
  const chunks: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const place = index === count - 1 ? "last" : "inner";
    const chunk = sealed.subarray(index * sealedChunkBytes, (index + 1) * sealedChunkBytes);
    const opened = openChunk(key, chunkNonce(index, place), chunk);
    if (opened === undefined) return undefined;
    chunks.push(opened);
  }
  return Buffer.concat(chunks);
}

/** ChaCha20-Poly1305 (RFC 8439) with the tag at the end. */
export function sealChunk(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv(cipherName, key, nonce, { authTagLength: tagBytes });
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The reverse of {@link sealChunk}; undefined when the tag does not fit. */
export function openChunk(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  const end = sealed.length - tagBytes;
  const decipher = createDecipheriv(cipherName, key, nonce, { authTagLength: tagBytes });
  decipher.setAuthTag(sealed.subarray(end));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function chunkNonce(index: number, place: "inner" | "last"): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = place === "last" ? 1 : 0;
  return nonce;
}
