import { SealtreeError } from "../errors.ts";
import type { GitPlace } from "../git/place.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { listScopes, readScope } from "../store/keyring.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { suggest } from "../secret/suggest.ts";

/**
 * E_SECRET_NOT_FOUND for a secret that no commit has: with the name or the scope that was meant,
 * as the work tree has them, and then `next`.
 */
export async function neverCommitted(
  place: GitPlace,
  address: Address,
  ...next: readonly string[]
): Promise<SealtreeError> {
  const tree = openWorkTree(place.root);
  const what = printAddress(address);
  const entries = await readScope(tree, address.scope);
  const near =
    entries === undefined
      ? suggest(what, await listScopes(tree)).concat(suggest(address.scope, await listScopes(tree)))
      : suggest(address.name, [...entries.keys()]);
  return new SealtreeError("E_SECRET_NOT_FOUND", `no commit has a secret ${what}`, {
    hints: [...near.slice(0, 1), ...next, "sealtree list shows what is there"],
  });
}
