import { SealtreeError } from "../errors.ts";
import { printAddress, type Address, type ScopePath, type SecretName } from "../secret/address.ts";
import { listScopes } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { suggest } from "../secret/suggest.ts";

/** Most scopes of a folder that a hint names. */
const maxNamed = 5;

/**
 * E_SCOPE_NOT_FOUND for a scope that `tree` lacks. Its hints name the scope that was meant, or
 * those in a folder of that name, then say `next`, and end with the command that lists them all.
 */
export async function scopeNotFound(tree: Tree, scope: ScopePath, ...next: readonly string[]): Promise<SealtreeError> {
  const scopes = await listScopes(tree);
  const below = scopes.filter((other) => other.startsWith(`${scope}/`));
  const more = below.length > maxNamed ? `, and ${below.length - maxNamed} more` : "";
  const folder =
    below.length === 0 ? [] : [`${scope} is a folder of scopes: ${below.slice(0, maxNamed).join(", ")}${more}`];
  const near = below.length === 0 ? suggest(scope, scopes) : [];
  return new SealtreeError("E_SCOPE_NOT_FOUND", `no scope ${scope} in ${tree.label}`, {
    hints: [...near, ...folder, ...next, `${listCommand(tree)} shows the scopes`],
  });
}

/** E_SECRET_NOT_FOUND for a secret that is not among `names`, those of its scope in `tree`. */
export function secretNotFound(tree: Tree, address: Address, names: Iterable<SecretName>): SealtreeError {
  return new SealtreeError("E_SECRET_NOT_FOUND", `no secret ${printAddress(address)} in ${tree.label}`, {
    hints: [...suggest(address.name, [...names]), `${listCommand(tree, address.scope)} shows what is there`],
  });
}

function listCommand({ revision }: Tree, ...scope: readonly ScopePath[]): string {
  return ["sealtree list", ...scope, ...(revision === undefined ? [] : [`--at ${revision}`])].join(" ");
}
