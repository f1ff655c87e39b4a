import { z } from "zod";
import { isScopePattern, matchesPatterns } from "../access/scope-pattern.ts";
import { isSecretName, type ScopePath, type SecretName } from "../secret/address.ts";
import type { Finding } from "../store/finding.ts";
import { secretSchemaPath } from "../store/layout.ts";
import { readChecked } from "../store/schema-findings.ts";
import type { Tree } from "../store/tree.ts";

/** What the secrets of some scopes must be like. */
export interface SchemaRule {
  /** As in a grant of the access policy, without `${member}`. */
  readonly scopes: readonly string[];
  /** Names that each of these scopes has. */
  readonly required: readonly SecretName[];
  /** One-based line in `policies/schema.yaml`. */
  readonly line: number;
}

/** What `policies/schema.yaml` asks of the secrets. */
export interface SecretSchema {
  readonly rules: readonly SchemaRule[];
}

const pattern = z
  .string()
  .refine(
    (text) => isScopePattern(text) && !text.includes("${"),
    "not a scope pattern, such as prod/** or !prod/admin",
  );
const secretName = z.string().refine(isSecretName, "not a secret name, such as DATABASE_URL");

const fileSchema = z.strictObject({
  version: z.literal(1, "the version of the file is 1"),
  rules: z.array(
    z.strictObject({
      scopes: z.array(pattern).min(1),
      required: z.array(secretName).min(1),
    }),
  ),
});

/** The schema of a tree with everything that is wrong in it; both empty when there is no file. */
export async function findSecretSchema(tree: Tree): Promise<{ schema: SecretSchema | undefined; findings: Finding[] }> {
  const bytes = await tree.read(secretSchemaPath);
  if (bytes === undefined) return { schema: undefined, findings: [] };
  const findings: Finding[] = [];
  const checked = readChecked(bytes, secretSchemaPath, { schema: fileSchema, rule: "schema", findings });
  if (checked === undefined) return { schema: undefined, findings };
  const { data, document } = checked;
  const rules = data.rules.map(({ scopes, required }, index) => ({
    scopes,
    required,
    line: document.lineOf(["rules", index]),
  }));
  return { schema: { rules }, findings };
}

/** True when a rule is for `scope`. */
export function coversScope(rule: SchemaRule, scope: ScopePath): boolean {
  return matchesPatterns(rule.scopes, scope, "");
}

/** The names that a scope must have, sorted. */
export function listRequired(schema: SecretSchema, scope: ScopePath): SecretName[] {
  const names = schema.rules.filter((rule) => coversScope(rule, scope)).flatMap(({ required }) => required);
  return [...new Set(names)].sort();
}
