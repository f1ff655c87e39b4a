import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { importX25519Key, type X25519Key } from "./age-x25519.ts";
import { printBase64url } from "./base64url.ts";
import { printEd25519Key, printRsaKey, type RsaNumbers, type SshPublicKey } from "./ssh-public-key.ts";
import type { SshKind } from "./ssh-strength.ts";
import { parseUnsigned, printUnsigned } from "./ssh-wire.ts";

/** An SSH key that age can use. The private half is in key objects, which show nothing. */
export type SshKeyPair =
  | { readonly kind: "ssh-ed25519"; readonly publicKey: SshPublicKey; readonly agreement: X25519Key }
  | { readonly kind: "ssh-rsa"; readonly publicKey: SshPublicKey; readonly decryption: KeyObject };

/** An SSH key whose private half is encrypted. */
export interface LockedSshKey {
  readonly isLocked: true;
  /** Undefined when the file does not say it in the clear. */
  readonly publicKey: SshPublicKey | undefined;
  /** What the pair may turn out to be. */
  readonly kinds: readonly SshKind[];
  /** The pair, never with a flaw; undefined when the passphrase is not its own. Throws E_IDENTITY_INVALID. */
  unlock(passphrase: string): Promise<SshKeyPair | undefined>;
}

/** An RSA private key as OpenSSH keeps it. */
export interface RsaPrivateNumbers extends RsaNumbers {
  readonly privateExponent: bigint;
  /** q^-1 modulo p. */
  readonly coefficient: bigint;
  readonly p: bigint;
  readonly q: bigint;
}

const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** The pair of 32 private bytes. */
export function ed25519Pair(seed: Uint8Array): SshKeyPair {
  const key = Buffer.concat([pkcs8Prefix, seed]);
  const { x = "" } = createPublicKey(createPrivateKey({ key, format: "der", type: "pkcs8" })).export({ format: "jwk" });
  const scalar = createHash("sha512").update(seed).digest().subarray(0, 32);
  return {
    kind: "ssh-ed25519",
    publicKey: printEd25519Key(Buffer.from(x, "base64url")),
    agreement: importX25519Key(scalar),
  };
}

/** The pair of an RSA private key of node:crypto. */
export function rsaPair(decryption: KeyObject): SshKeyPair {
  const { n = "", e = "" } = createPublicKey(decryption).export({ format: "jwk" });
  const [modulus, exponent] = [n, e].map((text) => parseUnsigned(Buffer.from(text, "base64url"))) as [bigint, bigint];
  return { kind: "ssh-rsa", publicKey: printRsaKey({ modulus, exponent }), decryption };
}

/** The pair of RSA numbers; undefined when they do not belong together. */
export function rsaPairOfNumbers(numbers: RsaPrivateNumbers): SshKeyPair | undefined {
  const { modulus, exponent, privateExponent, coefficient, p, q } = numbers;
  if (p <= 1n || q <= 1n) return undefined;
  const isInverse = [p, q].every((factor) => (exponent * privateExponent) % (factor - 1n) === 1n);
  if (p * q !== modulus || !isInverse || (coefficient * q) % p !== 1n) return undefined;
  const fields = {
    n: modulus,
    e: exponent,
    d: privateExponent,
    p,
    q,
    dp: privateExponent % (p - 1n),
    dq: privateExponent % (q - 1n),
    qi: coefficient,
  };
  const jwk = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, printBase64url(printUnsigned(value))]),
  );
  try {
    return rsaPair(createPrivateKey({ key: { kty: "RSA", ...jwk }, format: "jwk" }));
  } catch {
    return undefined;
  }
}
