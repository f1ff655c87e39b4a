import { SealtreeError } from "../errors.ts";
import type { SecretName } from "../secret/address.ts";
import type { Entries } from "./entries.ts";
import { environmentNames } from "./environment-name.ts";

/** A secret as an environment variable: text without NUL. */
export interface EnvironmentText {
  readonly name: SecretName;
  readonly variable: string;
  readonly text: string;
}

/**
 * The entries as environment variables, in the same order. Throws E_VALUE_UNFIT for a value
 * that is binary, not UTF-8 or has a NUL, and E_NAME_CLASH.
 */
export function environmentTexts(entries: Entries, format: string): EnvironmentText[] {
  const variables = environmentNames(entries.keys());
  return [...entries].map(([name, secret]) => {
    const text = secret.kind === "binary" ? undefined : secret.revealText();
    if (text === undefined) throw unfitError(name, format, "it is binary");
    if (text.includes("\0")) throw unfitError(name, format, "it has a NUL character");
    return { name, variable: variables.get(name) ?? name, text };
  });
}

/** E_VALUE_UNFIT naming the secret, the format and the reason. */
export function unfitError(name: SecretName, format: string, reason: string): SealtreeError {
  return new SealtreeError("E_VALUE_UNFIT", `the value of ${name} does not fit the format ${format}: ${reason}`, {
    hints: [
      "take a format that holds every value: --format json or yaml",
      "or write the value to a file of its own: sealtree get ADDRESS --reveal",
    ],
  });
}
