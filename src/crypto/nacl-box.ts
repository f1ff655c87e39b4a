import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { u32, u8 } from "@noble/ciphers/utils.js";
import { agreeX25519, type X25519Key } from "./age-x25519.ts";

const boxNonceBytes = 24;

/** Bernstein, "Salsa20 specification", section 9. */
const sigma = wordsOf(new TextEncoder().encode("expand 32-byte k"));

/**
 * NaCl's `crypto_box_open`: what `box` holds, sealed by the owner of `sender` for `key` under
 * `nonce`. Undefined when it was sealed by another, for another, or was changed.
 */
export function openBox(
  key: X25519Key,
  sender: Uint8Array,
  nonce: Uint8Array,
  box: Uint8Array,
): Uint8Array | undefined {
  if (sender.length !== 32 || nonce.length !== boxNonceBytes) return undefined;
  const shared = agreeX25519(key, sender);
  if (shared === undefined) return undefined;
  try {
    return xsalsa20poly1305(boxKey(shared), nonce).decrypt(box);
  } catch {
    return undefined;
  }
}

/** NaCl's `crypto_box_beforenm`: the key of a box from what two X25519 keys agree on. */
export function boxKey(shared: Uint8Array): Uint8Array {
  const key = new Uint32Array(8);
  hsalsa(sigma, wordsOf(shared), new Uint32Array(4), key);
  return u8(key);
}

/** Copied, since a view of words must begin at a multiple of four. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  return u32(Uint8Array.from(bytes));
}
