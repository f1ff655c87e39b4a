import type { SecretName } from "../../secret/address.ts";
import type { NameRule } from "./target.ts";

/** A secret's name as one of an environment variable: `.` and `-` become `_`, the case stays. */
export function toVariableName(name: SecretName): string {
  return name.replaceAll(/[.-]/g, "_");
}

/** What services that hold environment variables take, and all shells can read. */
export const variableNameRule: NameRule = {
  pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
  says: "letters, digits and _, not beginning with a digit",
  maxLength: 255,
  ignoresCase: false,
};

/** The same for services that take no `_` at the start. */
export const letterFirstNameRule: NameRule = {
  ...variableNameRule,
  pattern: /^[A-Za-z][A-Za-z0-9_]*$/,
  says: "letters, digits and _, beginning with a letter",
};

/** Facts of a service that keeps variables of which it shows no value, no mark and no version. */
export const hiddenVariableFacts = {
  readsBack: false,
  keepsMarks: false,
  hasVersions: false,
  comparesAndSwaps: false,
  nameRule: variableNameRule,
  holdsBinary: false,
} as const;
