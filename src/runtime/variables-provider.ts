import type { Environment } from "../git/place.ts";
import { refusedName } from "../resolve/refused-names.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { Secret } from "../secret/secret.ts";
import { environmentName } from "../values/environment-name.ts";
import type { Provider } from "./provider.ts";

/**
 * The variables of the process. A secret's variable is its name, with dots and dashes in UPPER_SNAKE; the
 * scope is no part of it. A variable that is empty counts as not set, and one that belongs to the system or
 * to a runtime, such as `PATH` or `USER`, is never a secret.
 */
export function variablesProvider(env: Environment): Provider {
  const variableOf = ({ name }: Address) => environmentName(name);
  return {
    name: "environment",
    takes(address) {
      const variable = variableOf(address);
      return (env[variable] ?? "") !== "" && refusedName(variable) === undefined;
    },
    read(addresses) {
      return Promise.resolve(
        new Map(addresses.map((it) => [printAddress(it), { value: Secret.text(env[variableOf(it)] ?? "") }])),
      );
    },
  };
}
