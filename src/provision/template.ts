import { z } from "zod";
import { usageError } from "../errors.ts";
import { type GeneratorSpec, parseGeneratorSpec } from "../rotation/generator-spec.ts";
import {
  type Address,
  isScopePath,
  isSecretName,
  parseAddress,
  type ScopePath,
  type SecretName,
} from "../secret/address.ts";
import { type Finding, policyError } from "../store/finding.ts";
import { readChecked } from "../store/schema-findings.ts";

/** Where the value of a new secret comes from. Never from the template. */
export type Origin =
  | { readonly way: "generate"; readonly spec: GeneratorSpec; readonly written: string }
  | { readonly way: "prompt"; readonly question: string }
  | { readonly way: "copy"; readonly from: Address };

/** One secret that an environment is to have. */
export interface TemplateSecret {
  readonly address: Address;
  readonly origin: Origin;
  /** True when the environment may do without. */
  readonly optional: boolean;
}

/** What stands for the environment in scope paths, addresses and the options of generators. */
const placeholder = "${env}";

const scopePath = z
  .string()
  .refine(
    (text) => text.split("/").includes(placeholder),
    "a scope of a template has ${env} as one of its parts, such as ${env}/api",
  )
  .refine((text) => isScopePath(text.replaceAll(placeholder, "env")), "not a scope path, such as ${env}/api");
const secretName = z.string().refine(isSecretName, "not a secret name, such as DATABASE_URL");
const words = z.string().min(1).max(200);
const oneWay = "give one of generate, prompt and copy, and never a value";
const secret = z
  .strictObject({
    generate: words.exactOptional(),
    prompt: words.exactOptional(),
    copy: words.exactOptional(),
    optional: z.boolean().default(false),
  })
  .refine(
    ({ generate, prompt, copy }) => [generate, prompt, copy].filter((it) => it !== undefined).length === 1,
    oneWay,
  );

const templateSchema = z.strictObject({
  version: z.literal(1, "the version of the file is 1"),
  scopes: z.record(scopePath, z.record(secretName, secret)),
});

type Written = z.infer<typeof secret>;

/**
 * The secrets that a template gives the environment `env`, in the order of the file. Throws
 * E_POLICY_INVALID with file and line, and E_USAGE for a generator or an address that is none, and
 * for a template without a secret.
 */
export function parseTemplate(bytes: Uint8Array, file: string, env: ScopePath): TemplateSecret[] {
  const findings: Finding[] = [];
  const checked = readChecked(bytes, file, { schema: templateSchema, rule: "template", findings });
  const [first, ...others] = findings;
  if (first !== undefined) throw policyError(first, others);
  const secrets = Object.entries(checked?.data.scopes ?? {}).flatMap(([path, names]) => {
    const scope = fill(path, env);
    if (!isScopePath(scope)) throw usageError("a scope of the template has more than 8 parts in this environment");
    return Object.entries(names).map(([name, written]) => ({
      address: { scope, name: name as SecretName },
      origin: readOrigin(written, env),
      optional: written.optional,
    }));
  });
  if (secrets.length === 0)
    throw usageError("the template has no secrets", "name them below scopes: docs/provision.md");
  return secrets;
}

function readOrigin({ generate, prompt, copy }: Written, env: ScopePath): Origin {
  if (generate !== undefined) {
    const written = fill(generate, env);
    return { way: "generate", spec: parseGeneratorSpec(written), written };
  }
  if (copy !== undefined) return { way: "copy", from: parseAddress(fill(copy, env)) };
  return { way: "prompt", question: prompt ?? "" };
}

function fill(text: string, env: ScopePath): string {
  return text.replaceAll(placeholder, env);
}
