import { findMontgomeryKey } from "./ed25519-point.ts";
import { ed25519BytesOf, rsaNumbersOf, type RsaNumbers, type SshPublicKey } from "./ssh-public-key.ts";

/** The types of SSH key that age encrypts to. */
export type SshKind = "ssh-ed25519" | "ssh-rsa";

const bits = { least: 2048, most: 16_384 };
const largestExponent = 2n ** 24n;
const leastFactor = 752n;

/** True for a key of a type that age encrypts to; the others only sign. */
export function isSshKind(type: string): type is SshKind {
  return type === "ssh-ed25519" || type === "ssh-rsa";
}

/**
 * Why nothing may be encrypted to a key: it is short, or no private key could fit it. Undefined
 * when there is no reason. Goes on in a sentence, such as `has 1024 bits, fewer than 2048`.
 */
export function findSshFlaw(key: SshPublicKey): string | undefined {
  const point = ed25519BytesOf(key);
  if (point !== undefined)
    return findMontgomeryKey(point) === undefined ? "is no point that a key can have" : undefined;
  const numbers = rsaNumbersOf(key);
  return numbers === undefined ? "is of a type that only signs" : findRsaFlaw(numbers);
}

/** The partial validation of NIST SP 800-89, section 5.3.3, and the exponents that age takes. */
function findRsaFlaw({ modulus, exponent }: RsaNumbers): string | undefined {
  const length = modulus.toString(2).length;
  if (length < bits.least) return `has ${length} bits, fewer than ${bits.least}`;
  if (length > bits.most) return `has ${length} bits, more than ${bits.most}`;
  if (exponent < 3n || exponent >= largestExponent || exponent % 2n === 0n) return "has an exponent that no key has";
  return hasSmallFactor(modulus) ? "has a modulus that no key has" : undefined;
}

function hasSmallFactor(modulus: bigint): boolean {
  if (modulus % 2n === 0n) return true;
  for (let factor = 3n; factor < leastFactor; factor += 2n) {
    if (modulus % factor === 0n) return true;
  }
  return false;
}
