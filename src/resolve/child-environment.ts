import { SealtreeError } from "../errors.ts";
import type { Secret } from "../secret/secret.ts";

/** Environment variables by name; undefined where one is not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

const ownName = /^(?:SEALTREE_|SOPS_AGE_|AGE_(?:IDENTITY|SECRET_KEY|KEY|PASSPHRASE))/i;
const identityText = /AGE-(?:SECRET-KEY|PLUGIN)-/i;

/**
 * The environment of a child: `parent` without our own variables and without whatever names or
 * holds an age identity, and `secrets` by variable name, which win over `parent`. Throws
 * E_VALUE_UNFIT naming the variable whose value is binary, not UTF-8 or has a NUL.
 */
export function childEnvironment(parent: Environment, secrets: ReadonlyMap<string, Secret>): Record<string, string> {
  const environment = new Map<string, string>();
  for (const [name, value] of Object.entries(parent)) {
    if (value !== undefined && !ownName.test(name) && !identityText.test(value)) environment.set(name, value);
  }
  for (const [name, secret] of secrets) environment.set(name, environmentValue(name, secret));
  return Object.fromEntries(environment);
}

function environmentValue(name: string, secret: Secret): string {
  const text = secret.kind === "binary" ? undefined : secret.revealText();
  if (text !== undefined && !text.includes("\0")) return text;
  throw new SealtreeError("E_VALUE_UNFIT", `the value of ${name} does not fit an environment variable: it is binary`, {
    hints: [
      "leave it out, and let the program read it from a file or a pipe: sealtree get ADDRESS --reveal",
      "or store it as base64 text",
    ],
  });
}
