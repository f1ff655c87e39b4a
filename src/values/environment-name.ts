import { SealtreeError } from "../errors.ts";
import type { SecretName } from "../secret/address.ts";

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The environment variable of a secret. A plain identifier stays as it is; a name with dots
 * or dashes becomes UPPER_SNAKE, so `mcp.bun.apiKey` is `MCP_BUN_APIKEY`.
 */
export function environmentName(name: SecretName): string {
  return identifier.test(name) ? name : name.replace(/[.-]/g, "_").toUpperCase();
}

/** The variable of every name. Throws E_NAME_CLASH naming two secrets that become one variable. */
export function environmentNames(names: Iterable<SecretName>): Map<SecretName, string> {
  const owners = new Map<string, SecretName>();
  const variables = new Map<SecretName, string>();
  for (const name of names) {
    const variable = environmentName(name);
    const owner = owners.get(variable);
    if (owner !== undefined && owner !== name) {
      throw new SealtreeError("E_NAME_CLASH", `${owner} and ${name} both become the variable ${variable}`, {
        hints: ["rename one: sealtree mv", "or take a format that keeps names as they are: --format json or yaml"],
      });
    }
    owners.set(variable, name);
    variables.set(name, variable);
  }
  return variables;
}
