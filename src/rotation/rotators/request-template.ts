import { Secret } from "../../secret/secret.ts";
import { findReference, type SecretReference } from "../../services/secret-reference.ts";

/** What stands for something in a template: `${value}`, or a reference such as `${secret:prod/admin/TOKEN}`. */
type Placeholder =
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "reference"; readonly reference: SecretReference };

/** A text with placeholders, split at them. */
export type Template = readonly (string | Placeholder)[];

/** What may stand in a template. */
export interface TemplateRules {
  readonly variables: readonly string[];
  /** Whether it may hold secrets: what is part of a URL may not, since servers write those down. */
  readonly mayHoldSecrets: boolean;
}

/** Values of variables by name; undefined for one that is not known this time. */
export type TemplateValues = Readonly<Record<string, string | Secret | undefined>>;

/** Variables whose values are secret. */
const secretVariables = ["value", "current.value"];

/**
 * The template that `text` is, or a sentence on what is wrong with it. `$${` stands for `${`.
 * Nothing of `text` is in the sentence: it may hold a secret in the wrong place.
 */
export function parseTemplate(
  text: string,
  { variables, mayHoldSecrets }: TemplateRules,
): Template | { readonly problem: string } {
  const pieces: (string | Placeholder)[] = [];
  let rest = text;
  for (let next = rest.indexOf("${"); next !== -1; next = rest.indexOf("${")) {
    if (rest[next - 1] === "$") {
      pieces.push(`${rest.slice(0, next - 1)}\${`);
      rest = rest.slice(next + 2);
      continue;
    }
    const end = rest.indexOf("}", next);
    const name = end === -1 ? undefined : rest.slice(next + 2, end);
    const reference = name === undefined ? undefined : findReference(rest.slice(next, end + 1));
    if (name === undefined || (reference === undefined && !variables.includes(name))) {
      return {
        problem: `a placeholder here is ${[...variables, "secret:scope/NAME", "env:NAME", "oidc:AUDIENCE"].map((it) => `\${${it}}`).join(", ")}`,
      };
    }
    if (!mayHoldSecrets && (reference !== undefined || secretVariables.includes(name))) {
      return { problem: "a secret cannot be part of an address, which servers and proxies write down" };
    }
    pieces.push(
      rest.slice(0, next),
      reference === undefined ? { kind: "variable", name } : { kind: "reference", reference },
    );
    rest = rest.slice(end + 1);
  }
  pieces.push(rest);
  return pieces.filter((piece) => piece !== "");
}

/** The references in a template. */
export function templateReferences(template: Template): SecretReference[] {
  return template.flatMap((piece) =>
    typeof piece === "object" && piece.kind === "reference" ? [piece.reference] : [],
  );
}

/** Whether a template has the variable. */
export function usesVariable(template: Template, name: string): boolean {
  return template.some((piece) => typeof piece === "object" && piece.kind === "variable" && piece.name === name);
}

/**
 * The text of a template; a Secret when any of it is secret. Undefined when a variable is not known,
 * or a value is no text.
 */
export function fillTemplate(
  template: Template,
  values: TemplateValues,
  read: (reference: SecretReference) => Secret,
): string | Secret | undefined {
  const filled = template.map((piece) => {
    if (typeof piece === "string") return piece;
    return piece.kind === "variable" ? values[piece.name] : read(piece.reference);
  });
  const texts = filled.map((piece) => (piece instanceof Secret ? piece.revealText() : piece));
  if (texts.includes(undefined)) return undefined;
  const text = texts.join("");
  return filled.some((piece) => piece instanceof Secret) ? Secret.text(text) : text;
}
