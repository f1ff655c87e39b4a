import { ageIdentityGenerator, type AgeIdentityOptions } from "./age-identity.ts";
import { certificateGenerator, requestGenerator } from "./certificate.ts";
import type { CertificateOptions, RequestOptions } from "./certificate-options.ts";
import type { Generator } from "./generator.ts";
import type { EcdsaCurve } from "./key-pair.ts";
import { numericGenerator, type NumericOptions } from "./numeric.ts";
import { passphraseGenerator, type PassphraseOptions } from "./passphrase.ts";
import { passwordGenerator, type PasswordOptions } from "./password.ts";
import { ecdsaGenerator, ed25519Generator, rsaGenerator, x25519Generator } from "./pem-key.ts";
import { base64Generator, base64urlGenerator, hexGenerator, type RandomBytesOptions } from "./random-bytes.ts";
import { sshKeyGenerator, type SshKeyOptions } from "./ssh-key.ts";
import { uuidGenerator, type UuidOptions } from "./uuid.ts";

/** Options of each kind of generator, with the defaults filled in. */
export interface GeneratorOptions {
  readonly password: PasswordOptions;
  readonly passphrase: PassphraseOptions;
  readonly numeric: NumericOptions;
  readonly hex: RandomBytesOptions;
  readonly base64: RandomBytesOptions;
  readonly base64url: RandomBytesOptions;
  readonly uuid: UuidOptions;
  readonly ed25519: Readonly<Record<string, never>>;
  readonly x25519: Readonly<Record<string, never>>;
  readonly ecdsa: { readonly curve: EcdsaCurve };
  readonly rsa: { readonly bits: number };
  readonly ssh: SshKeyOptions;
  readonly age: AgeIdentityOptions;
  readonly certificate: CertificateOptions;
  readonly csr: RequestOptions;
}

export type GeneratorKind = keyof GeneratorOptions;

/** Every generator by the kind that a spec names. */
export const generators: { readonly [Kind in GeneratorKind]: Generator<GeneratorOptions[Kind]> } = {
  password: passwordGenerator,
  passphrase: passphraseGenerator,
  numeric: numericGenerator,
  hex: hexGenerator,
  base64: base64Generator,
  base64url: base64urlGenerator,
  uuid: uuidGenerator,
  ed25519: ed25519Generator,
  x25519: x25519Generator,
  ecdsa: ecdsaGenerator,
  rsa: rsaGenerator,
  ssh: sshKeyGenerator,
  age: ageIdentityGenerator,
  certificate: certificateGenerator,
  csr: requestGenerator,
};

/** True for a kind in {@link generators}. */
export function isGeneratorKind(kind: string): kind is GeneratorKind {
  return Object.hasOwn(generators, kind);
}
