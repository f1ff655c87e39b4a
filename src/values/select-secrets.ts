import type { Identity } from "../crypto/identity.ts";
import { isDrop } from "../crypto/sealed-header.ts";
import { SealtreeError } from "../errors.ts";
import { printAddress, type Address, type ScopePath, type SecretName } from "../secret/address.ts";
import type { Secret } from "../secret/secret.ts";
import type { Tree } from "../store/tree.ts";
import { environmentName } from "./environment-name.ts";
import { openScope } from "./open-scope.ts";
import { suggest } from "../secret/suggest.ts";

/** One opened secret of several scopes. */
export interface SelectedSecret {
  readonly address: Address;
  readonly secret: Secret;
  /** Name of the reader whose key opened it, as the keyring lists them; undefined when not known. */
  readonly reader: string | undefined;
  /** True for a drop: no reader has adopted it, so nobody who may read has looked at it yet. */
  readonly isDrop: boolean;
}

/**
 * Opens the secrets of `scopes` in the order of the scopes and of their files; with `only`
 * no others than those names. Throws E_SECRET_NOT_FOUND for a name that none of the scopes
 * has, and what opening a scope throws.
 */
export async function selectSecrets(
  tree: Tree,
  scopes: readonly ScopePath[],
  identities: readonly Identity[],
  only?: readonly SecretName[],
): Promise<SelectedSecret[]> {
  const selected: SelectedSecret[] = [];
  const known = new Set<SecretName>();
  for (const scope of new Set(scopes)) {
    const opened = await openScope(tree, scope, identities);
    for (const [name, { record }] of opened.entries) {
      known.add(name);
      if (only !== undefined && !only.includes(name)) continue;
      const secret = await opened.openSealed(name, record);
      const reader = await opened.readerOf(record);
      selected.push({ address: { scope, name }, secret, reader, isDrop: isDrop(record) });
    }
  }
  const missing = only?.find((name) => !known.has(name));
  if (missing === undefined) return selected;
  throw new SealtreeError("E_SECRET_NOT_FOUND", `no secret ${missing} in ${scopes.join(", ")}`, {
    hints: suggest(missing, [...known]),
  });
}

/** The secrets by name. Throws E_NAME_CLASH naming both addresses of a name that stands in two scopes. */
export function byName<T extends SelectedSecret>(selected: readonly T[]): Map<SecretName, T> {
  return keyedBy(selected, ({ address }) => address.name);
}

/** The secrets by environment variable. Throws E_NAME_CLASH naming both addresses that become one variable. */
export function byVariable<T extends SelectedSecret>(selected: readonly T[]): Map<string, T> {
  return keyedBy(selected, ({ address }) => environmentName(address.name));
}

function keyedBy<K extends string, T extends SelectedSecret>(selected: readonly T[], keyOf: (item: T) => K): Map<K, T> {
  const found = new Map<K, T>();
  for (const item of selected) {
    const key = keyOf(item);
    const other = found.get(key);
    if (other !== undefined) {
      const [first, second] = [printAddress(other.address), printAddress(item.address)];
      throw new SealtreeError("E_NAME_CLASH", `${first} and ${second} would both be ${key}`, {
        hints: ["take the names you need: --only A,B", "or take the scopes one at a time, or rename one: sealtree mv"],
      });
    }
    found.set(key, item);
  }
  return found;
}
