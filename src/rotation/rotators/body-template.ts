import type { Secret } from "../../secret/secret.ts";
import {
  fillTemplate,
  parseTemplate,
  templateReferences,
  usesVariable,
  type Template,
  type TemplateRules,
  type TemplateValues,
} from "./request-template.ts";
import type { SecretReference } from "../../services/secret-reference.ts";

/** A JSON value whose texts are templates. Its keys are as they are written. */
export type BodyTemplate =
  | { readonly kind: "text"; readonly template: Template }
  | { readonly kind: "list"; readonly items: readonly BodyTemplate[] }
  | { readonly kind: "map"; readonly entries: readonly (readonly [string, BodyTemplate])[] }
  | { readonly kind: "plain"; readonly value: number | boolean | null };

const maxDepth = 32;

/** The template in a JSON value, or a sentence on what is wrong with it. */
export function parseBodyTemplate(
  value: unknown,
  rules: TemplateRules,
  depth = 0,
): BodyTemplate | { readonly problem: string } {
  if (depth > maxDepth) return { problem: "a body is not that deep" };
  if (typeof value === "string") {
    const template = parseTemplate(value, rules);
    return "problem" in template ? template : { kind: "text", template };
  }
  if (value === null || typeof value === "boolean" || Number.isFinite(value)) {
    return { kind: "plain", value: value as number | boolean | null };
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => parseBodyTemplate(item, rules, depth + 1));
    return findProblem(items) ?? { kind: "list", items: items.filter(isTemplate) };
  }
  if (typeof value !== "object")
    return { problem: "a body is JSON: objects, lists, texts, numbers, true, false, null" };
  const entries = Object.entries(value).map(([key, item]) => [key, parseBodyTemplate(item, rules, depth + 1)] as const);
  const problem = findProblem(entries.map(([, item]) => item));
  return (
    problem ?? {
      kind: "map",
      entries: entries.filter((entry): entry is [string, BodyTemplate] => isTemplate(entry[1])),
    }
  );
}

/** All templates in a body. */
export function bodyTemplates(body: BodyTemplate): readonly Template[] {
  if (body.kind === "text") return [body.template];
  if (body.kind === "list") return body.items.flatMap(bodyTemplates);
  return body.kind === "map" ? body.entries.flatMap(([, item]) => bodyTemplates(item)) : [];
}

/** The references in templates. */
export function referencesIn(templates: readonly Template[]): SecretReference[] {
  return templates.flatMap(templateReferences);
}

/** Whether any of them has the variable. */
export function anyUses(templates: readonly Template[], name: string): boolean {
  return templates.some((template) => usesVariable(template, name));
}

/** The JSON value, with a Secret for each text that is one; undefined when a variable is not known. */
export function fillBody(
  body: BodyTemplate,
  values: TemplateValues,
  read: (reference: SecretReference) => Secret,
): unknown {
  if (body.kind === "plain") return body.value;
  if (body.kind === "text") return fillTemplate(body.template, values, read);
  const filled =
    body.kind === "list"
      ? body.items.map((item) => fillBody(item, values, read))
      : body.entries.map(([key, item]) => [key, fillBody(item, values, read)] as const);
  const isWhole = filled.every((item) => (body.kind === "list" ? item : (item as readonly unknown[])[1]) !== undefined);
  if (!isWhole) return undefined;
  return body.kind === "list" ? filled : Object.fromEntries(filled as readonly (readonly [string, unknown])[]);
}

function isTemplate(parsed: BodyTemplate | { readonly problem: string }): parsed is BodyTemplate {
  return !("problem" in parsed);
}

function findProblem(
  parsed: readonly (BodyTemplate | { readonly problem: string })[],
): { readonly problem: string } | undefined {
  return parsed.find((item): item is { readonly problem: string } => "problem" in item);
}
