import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { z, type ZodType } from "zod";
import { Secret } from "../../secret/secret.ts";
import { unfitValue, type Generator } from "./generator.ts";
import { ecdsaCurve, keyStrength, makePrivateKey, rsaBits, type EcdsaCurve, type KeyChoice } from "./key-pair.ts";

/** An Ed25519 key pair, for signatures (RFC 8032). */
export const ed25519Generator = pemKeyGenerator<Readonly<Record<string, never>>>({
  name: "ed25519",
  describe: "an Ed25519 key pair, for signatures",
  optionHelp: [],
  options: z.strictObject({}),
  choose: () => ({ type: "ed25519" }),
});

/** An X25519 key pair, for key agreement (RFC 7748). */
export const x25519Generator = pemKeyGenerator<Readonly<Record<string, never>>>({
  name: "x25519",
  describe: "an X25519 key pair, for key agreement",
  optionHelp: [],
  options: z.strictObject({}),
  choose: () => ({ type: "x25519" }),
});

/** An RSA key pair with the exponent 65537. Its primes are OpenSSL's and not of the random source. */
export const rsaGenerator = pemKeyGenerator<{ readonly bits: number }>({
  name: "rsa",
  describe: "an RSA key pair",
  optionHelp: ["bits=3072 (2048 to 8192, in steps of 1024)"],
  options: z.strictObject({ bits: rsaBits.default(3072) }),
  choose: ({ bits }) => ({ type: "rsa", bits }),
});

/** A key pair on one of NIST's prime curves, for ECDSA and ECDH. */
export const ecdsaGenerator = pemKeyGenerator<{ readonly curve: EcdsaCurve }>({
  name: "ecdsa",
  describe: "a key pair on a curve of NIST",
  optionHelp: ["curve=p256 (or p384, p521)"],
  options: z.strictObject({ curve: ecdsaCurve.default("p256") }),
  choose: ({ curve }) => ({ type: "ecdsa", curve }),
});

interface PemKeyParts<Options> {
  readonly name: string;
  readonly describe: string;
  readonly optionHelp: readonly string[];
  readonly options: ZodType<Options>;
  readonly choose: (options: Options) => KeyChoice;
}

/** The private half is PEM of PKCS#8 (RFC 5958), the public one PEM of SubjectPublicKeyInfo (RFC 5280). */
function pemKeyGenerator<Options>({ choose, ...parts }: PemKeyParts<Options>): Generator<Options> {
  return {
    ...parts,
    generate: async (options, { random }) =>
      Secret.text(printPrivateKey(await makePrivateKey(choose(options), random))),
    strength: (options) => keyStrength(choose(options)),
    publicHalf: async (value) => {
      return createPublicKey(parsePrivateKey(value)).export({ format: "pem", type: "spki" }).toString();
    },
  };
}

/** PEM of PKCS#8, not encrypted. */
export function printPrivateKey(key: KeyObject): string {
  return key.export({ format: "pem", type: "pkcs8" }).toString();
}

/** The first private key in PEM text. Throws E_VALUE_UNFIT. */
export function parsePrivateKey(text: string): KeyObject {
  const key = findPrivateKey(text);
  if (key === undefined) throw unfitValue("a private key in PEM");
  return key;
}

// OpenSSL's own words stay out: the value is somebody's key.
function findPrivateKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    return undefined;
  }
}
