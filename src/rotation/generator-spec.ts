import type { RandomSource } from "../crypto/random.ts";
import { SealtreeError } from "../errors.ts";
import type { Secret } from "../secret/secret.ts";
import { type GeneratorKind, type GeneratorOptions, generators, isGeneratorKind } from "./generators/registry.ts";

/** A kind of generator with its checked options. */
export type GeneratorSpec<Kind extends GeneratorKind = GeneratorKind> = {
  [K in Kind]: { readonly kind: K; readonly options: GeneratorOptions[K] };
}[Kind];

/**
 * The spec in a text such as `password`, `password:length=40,symbols=false` or `hex:bytes=16`.
 * Throws E_USAGE with the kinds and options there are; like an address, it does not repeat
 * `text`, which may be a value in the wrong place.
 */
export function parseGeneratorSpec(text: string): GeneratorSpec {
  const colon = text.indexOf(":");
  const kind = colon === -1 ? text : text.slice(0, colon);
  const written = new Map<string, unknown>();
  for (const option of colon === -1 ? [] : text.slice(colon + 1).split(",")) {
    const [, name = "", value = ""] = /^([a-z]+)=(true|false|[0-9]{1,6})$/.exec(option) ?? [];
    if (name === "") throw specError("an option of the generator is not written name=value");
    if (name === "kind" || written.has(name)) throw specError("an option of the generator stands twice");
    written.set(name, /^[0-9]/.test(value) ? Number(value) : value === "true");
  }
  return parseGeneratorOptions({ ...Object.fromEntries(written), kind });
}

/** The spec in an object such as `{kind: "base64", bytes: 48}`. Throws E_USAGE in the same way. */
export function parseGeneratorOptions(written: Readonly<Record<string, unknown>>): GeneratorSpec {
  const { kind, ...options } = written;
  if (typeof kind !== "string" || !isGeneratorKind(kind)) throw specError("there is no generator of this kind");
  return checkOptions(kind, options);
}

/** A new value. */
export function generateValue<Kind extends GeneratorKind>(spec: GeneratorSpec<Kind>, random: RandomSource): Secret {
  return generators[spec.kind].generate(spec.options, random);
}

/** Bits of entropy of a value made from `spec`. */
export function entropyBits<Kind extends GeneratorKind>(spec: GeneratorSpec<Kind>): number {
  return generators[spec.kind].entropyBits(spec.options);
}

function checkOptions<Kind extends GeneratorKind>(kind: Kind, written: unknown): GeneratorSpec {
  const result = generators[kind].options.safeParse(written);
  if (result.success) return { kind, options: result.data } as GeneratorSpec;
  const path = result.error.issues[0]?.path.join(".") ?? "";
  const what = path === "" ? "the options" : `the option ${path}`;
  throw specError(`${what} of the generator ${kind} cannot be that`);
}

function specError(message: string): SealtreeError {
  const kinds = Object.values(generators).map(({ name, optionHelp }) => [name, ...optionHelp].join("  "));
  return new SealtreeError("E_USAGE", message, {
    hints: ["a generator is kind or kind:name=value,name=value, such as password:length=40,symbols=false", ...kinds],
  });
}
