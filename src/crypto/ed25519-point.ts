import { agreeX25519, importX25519Key, type X25519Key } from "./age-x25519.ts";

// Only public keys pass here, so nothing need take constant time. Private keys are converted
// by hashing (RFC 8032, section 5.1.5), and their public halves by node:crypto.
const prime = 2n ** 255n - 19n;
const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n;
const maxRemembered = 4096;
const remembered = new Map<string, Uint8Array | undefined>();
let inverter: X25519Key | undefined;

/**
 * The X25519 public key that an Ed25519 public key turns into, by the birational map
 * u = (1 + y) / (1 - y) of RFC 7748, section 4.1. Undefined for 32 bytes that no private key
 * has as its public half: no point of the curve, not its canonical form, or not in the group
 * of prime order.
 */
export function findMontgomeryKey(ed25519: Uint8Array): Uint8Array | undefined {
  const text = Buffer.from(ed25519).toString("latin1");
  if (!remembered.has(text)) {
    if (remembered.size >= maxRemembered) remembered.clear();
    remembered.set(text, convert(ed25519));
  }
  return remembered.get(text);
}

function convert(ed25519: Uint8Array): Uint8Array | undefined {
  if (ed25519.length !== 32) return undefined;
  const bytes = Buffer.from(ed25519).reverse();
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  const y = BigInt(`0x${bytes.toString("hex")}`);
  // x is zero at y = 1 and y = -1 only, which the group check refuses: so each sign of x is canonical.
  if (y >= prime) return undefined;
  const montgomery = printLittleEndian(((1n + y) * power(prime + 1n - y, prime - 2n)) % prime);
  return isInPrimeGroup(montgomery) ? montgomery : undefined;
}

/**
 * True for a u-coordinate of the group that the base point makes. The scalar 5L - 1 is one that
 * X25519 leaves as it is: a multiple of 8 between 2^254 and 2^255. It takes a point of the group,
 * whose order is L, to its negative, which has the same u, and no other point of the curve or
 * its twist to one with that u: a part of small order is lost, and the twist has another order.
 */
function isInPrimeGroup(u: Uint8Array): boolean {
  inverter ??= importX25519Key(printLittleEndian(5n * groupOrder - 1n));
  const negative = agreeX25519(inverter, u);
  return negative !== undefined && Buffer.compare(negative, u) === 0;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let factor = base, left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * factor) % prime;
    factor = (factor * factor) % prime;
  }
  return result;
}

function printLittleEndian(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
}
