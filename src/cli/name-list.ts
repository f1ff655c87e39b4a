import { parseSecretName, type SecretName } from "../secret/address.ts";

/** The names of an option such as `--only A,B`; undefined when it was not given. Throws E_NAME_INVALID. */
export function parseNameList(option: unknown): SecretName[] | undefined {
  if (typeof option !== "string") return undefined;
  return option.split(",").map((text) => parseSecretName(text.trim()));
}
