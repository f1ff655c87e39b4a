import { createECDH, createPrivateKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { z } from "zod";
import { printBase64url } from "../../crypto/base64url.ts";
import type { RandomSource } from "../../crypto/random.ts";
import type { Strength } from "./generator.ts";
import { randomScalar } from "./uniform.ts";

export type EcdsaCurve = "p256" | "p384" | "p521";

/** What a key pair is made of. */
export type KeyChoice =
  | { readonly type: "ed25519" | "x25519" }
  | { readonly type: "rsa"; readonly bits: number }
  | { readonly type: "ecdsa"; readonly curve: EcdsaCurve };

/** How the size of an RSA key and the curve of an ECDSA key are checked. */
export const rsaBits = z.int().min(2048).max(8192).multipleOf(1024);
export const ecdsaCurve = z.enum(["p256", "p384", "p521"]);

/** Options of a generator whose key signs, as `key` says. */
export interface SigningKeyOptions {
  readonly key: "ed25519" | "ecdsa" | "rsa";
  /** Only of RSA; 3072 without. */
  readonly bits?: number;
  /** Only of ECDSA; P-256 without. */
  readonly curve?: EcdsaCurve;
}

/** The schema of {@link SigningKeyOptions}, but for `key`; {@link fitsKey} is to hold too. */
export const signingKeyFields = { bits: rsaBits.exactOptional(), curve: ecdsaCurve.exactOptional() };
export const signingKeyName = z.enum(["ed25519", "ecdsa", "rsa"]);

/** False when an option is there that is not of this kind of key. */
export function fitsKey({ key, bits, curve }: SigningKeyOptions): boolean {
  return (bits === undefined || key === "rsa") && (curve === undefined || key === "ecdsa");
}

/** The choice that the options make. */
export function chosenKey({ key, bits, curve }: SigningKeyOptions): KeyChoice {
  if (key === "rsa") return { type: key, bits: bits ?? 3072 };
  return key === "ecdsa" ? { type: key, curve: curve ?? "p256" } : { type: key };
}

/** Names of a curve in JWK and in OpenSSL, and the order of its base point (SP 800-186, section 3.2.1). */
const curves = {
  p256: {
    jwk: "P-256",
    openssl: "prime256v1",
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    securityBits: 128,
  },
  p384: {
    jwk: "P-384",
    openssl: "secp384r1",
    order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    securityBits: 192,
  },
  p521: {
    jwk: "P-521",
    openssl: "secp521r1",
    order:
      0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    securityBits: 256,
  },
} as const;

/** What precedes the 32 private bytes in PKCS#8 (RFC 8410, section 7). */
const privatePrefixes = {
  ed25519: Buffer.from("302e020100300506032b657004220420", "hex"),
  x25519: Buffer.from("302e020100300506032b656e04220420", "hex"),
};

/**
 * A new private key, made of `random` alone; but RSA, whose primes OpenSSL makes with its own
 * generator, so that an RSA key is another one each time.
 */
export async function makePrivateKey(choice: KeyChoice, random: RandomSource): Promise<KeyObject> {
  switch (choice.type) {
    case "ed25519":
    case "x25519": {
      const key = Buffer.concat([privatePrefixes[choice.type], random(32)]);
      return createPrivateKey({ key, format: "der", type: "pkcs8" });
    }
    case "ecdsa":
      return ecdsaKey(choice.curve, random);
    case "rsa":
      return (await promisify(generateKeyPair)("rsa", { modulusLength: choice.bits })).privateKey;
  }
}

/**
 * The security strength of a key pair: SP 800-57 part 1 revision 5, table 2, for RSA, where a
 * size between two rows counts as the lower one, and for the curves of SP 800-186, table 1.
 */
export function keyStrength(choice: KeyChoice): Strength {
  return { kind: "security", bits: securityBits(choice) };
}

function securityBits(choice: KeyChoice): number {
  switch (choice.type) {
    case "ed25519":
    case "x25519":
      return 128;
    case "ecdsa":
      return curves[choice.curve].securityBits;
    case "rsa":
      return choice.bits >= 7680 ? 192 : choice.bits >= 3072 ? 128 : 112;
  }
}

function ecdsaKey(curve: EcdsaCurve, random: RandomSource): KeyObject {
  const { jwk, openssl, order } = curves[curve];
  const scalar = randomScalar(order, random);
  const agreement = createECDH(openssl);
  agreement.setPrivateKey(scalar);
  const point = agreement.getPublicKey();
  const size = scalar.length;
  const x = printBase64url(point.subarray(1, 1 + size));
  const y = printBase64url(point.subarray(1 + size));
  return createPrivateKey({ key: { kty: "EC", crv: jwk, d: printBase64url(scalar), x, y }, format: "jwk" });
}
