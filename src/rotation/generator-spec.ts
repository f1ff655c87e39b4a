import { SealtreeError } from "../errors.ts";
import type { Secret } from "../secret/secret.ts";
import type { Strength, ValueSources } from "./generators/generator.ts";
import { type GeneratorKind, type GeneratorOptions, generators, isGeneratorKind } from "./generators/registry.ts";

/** A kind of generator with its checked options. */
export type GeneratorSpec<Kind extends GeneratorKind = GeneratorKind> = {
  [K in Kind]: { readonly kind: K; readonly options: GeneratorOptions[K] };
}[Kind];

/** One option of a spec in a text. No `,`, which separates options, nor `+`, which separates the items of a list. */
const optionPattern = /^([a-z]+)=([A-Za-z0-9 ._@:/*-]{1,255}(?:\+[A-Za-z0-9 ._@:/*-]{1,255})*)$/;

/**
 * The spec in a text such as `password`, `password:length=40,symbols=false` or
 * `certificate:cn=api.test,dns=api.test+www.api.test`. Throws E_USAGE with the kinds and options
 * there are; like an address, it does not repeat `text`, which may be a value in the wrong place.
 */
export function parseGeneratorSpec(text: string): GeneratorSpec {
  const colon = text.indexOf(":");
  const kind = colon === -1 ? text : text.slice(0, colon);
  if (!isGeneratorKind(kind)) throw noSuchKind();
  const written = new Map<string, unknown>();
  for (const option of colon === -1 ? [] : text.slice(colon + 1).split(",")) {
    const [, name = "", value = ""] = optionPattern.exec(option) ?? [];
    if (name === "") throw specError("an option of the generator is not written name=value");
    if (name === "kind" || written.has(name)) throw specError("an option of the generator stands twice");
    written.set(name, readOption(value, generators[kind].textOptions?.[name]));
  }
  return checkOptions(kind, Object.fromEntries(written));
}

/** The spec in an object such as `{kind: "base64", bytes: 48}`. Throws E_USAGE in the same way. */
export function parseGeneratorOptions(written: Readonly<Record<string, unknown>>): GeneratorSpec {
  const { kind, ...options } = written;
  if (typeof kind !== "string" || !isGeneratorKind(kind)) throw noSuchKind();
  return checkOptions(kind, options);
}

/** A new value. */
export async function generateValue<Kind extends GeneratorKind>(
  spec: GeneratorSpec<Kind>,
  sources: ValueSources,
): Promise<Secret> {
  return await generators[spec.kind].generate(spec.options, sources);
}

/** How hard a value made from `spec` is to find. */
export function strengthOf<Kind extends GeneratorKind>(spec: GeneratorSpec<Kind>): Strength {
  return generators[spec.kind].strength(spec.options);
}

/** True when a value made from `spec` has a public half. */
export function hasPublicHalf(spec: GeneratorSpec): boolean {
  return generators[spec.kind].publicHalf !== undefined;
}

/**
 * The public half of a value that `spec` made at `madeAt`: text that ends with a newline.
 * Throws E_VALUE_UNFIT when the value has none of this kind.
 */
export async function publicHalfOf<Kind extends GeneratorKind>(
  spec: GeneratorSpec<Kind>,
  secret: Secret,
  madeAt: Date,
): Promise<string> {
  const { publicHalf } = generators[spec.kind];
  if (publicHalf === undefined) {
    throw new SealtreeError("E_VALUE_UNFIT", `what the generator ${spec.kind} makes has no public half`, {
      hints: ["take public out of the rule, or let a generator of keys make the value"],
    });
  }
  return await publicHalf(secret.revealText() ?? "", spec.options, madeAt);
}

function readOption(value: string, form: "text" | "list" | undefined): unknown {
  if (form === "text") return value;
  if (form === "list") return value.split("+");
  if (/^[0-9]{1,6}$/.test(value)) return Number(value);
  return value === "true" || value === "false" ? value === "true" : value;
}

function checkOptions<Kind extends GeneratorKind>(kind: Kind, written: unknown): GeneratorSpec {
  const result = generators[kind].options.safeParse(written);
  if (result.success) return { kind, options: result.data } as GeneratorSpec;
  const path = result.error.issues[0]?.path.join(".") ?? "";
  const what = path === "" ? "the options" : `the option ${path}`;
  throw specError(`${what} of the generator ${kind} cannot be that`);
}

function noSuchKind(): SealtreeError {
  return specError("there is no generator of this kind");
}

function specError(message: string): SealtreeError {
  const kinds = Object.values(generators).map(({ name, optionHelp }) => [name, ...optionHelp].join("  "));
  return new SealtreeError("E_USAGE", message, {
    hints: ["a generator is kind or kind:name=value,name=value, such as password:length=40,symbols=false", ...kinds],
  });
}
