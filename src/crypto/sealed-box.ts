import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { blake2b } from "@noble/hashes/blake2.js";
import { agreeX25519, ephemeralX25519Key } from "./age-x25519.ts";
import { boxKey } from "./nacl-box.ts";

/** By how many bytes a sealed box is longer than what is in it. */
export const sealedBoxOverhead = 48;

/**
 * libsodium's sealed box: `crypto_box_seal` of `message` for a public key, with a new ephemeral key
 * whose public half stands in front. Undefined when the public key is not one of X25519.
 */
export function sealBox(publicKey: Uint8Array, message: Uint8Array): Uint8Array | undefined {
  if (publicKey.length !== 32) return undefined;
  const ephemeral = ephemeralX25519Key();
  const shared = agreeX25519(ephemeral, publicKey);
  if (shared === undefined) return undefined;
  const nonce = blake2b(Buffer.concat([ephemeral.publicKey, publicKey]), { dkLen: 24 });
  return Buffer.concat([ephemeral.publicKey, xsalsa20poly1305(boxKey(shared), nonce).encrypt(message)]);
}
