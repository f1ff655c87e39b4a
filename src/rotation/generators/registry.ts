import type { Generator } from "./generator.ts";
import { passwordGenerator, type PasswordOptions } from "./password.ts";
import { base64Generator, base64urlGenerator, hexGenerator, type RandomBytesOptions } from "./random-bytes.ts";
import { uuidGenerator, type UuidOptions } from "./uuid.ts";

/** Options of each kind of generator, with the defaults filled in. */
export interface GeneratorOptions {
  readonly password: PasswordOptions;
  readonly hex: RandomBytesOptions;
  readonly base64: RandomBytesOptions;
  readonly base64url: RandomBytesOptions;
  readonly uuid: UuidOptions;
}

export type GeneratorKind = keyof GeneratorOptions;

/** Every generator by the kind that a spec names. */
export const generators: { readonly [Kind in GeneratorKind]: Generator<GeneratorOptions[Kind]> } = {
  password: passwordGenerator,
  hex: hexGenerator,
  base64: base64Generator,
  base64url: base64urlGenerator,
  uuid: uuidGenerator,
};

/** True for a kind in {@link generators}. */
export function isGeneratorKind(kind: string): kind is GeneratorKind {
  return Object.hasOwn(generators, kind);
}
