import { compareTrees } from "../history/compare-trees.ts";
import { parseAddress, printAddress, type Address } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import { journalPath } from "../store/layout.ts";
import { listFlights } from "./flight.ts";
import type { RotationView } from "./rotation-view.ts";

/** What a branch of rotations would bring to its trunk. */
export interface UnmergedChanges {
  /** Secrets with another value there, sorted. */
  readonly values: readonly Address[];
  /** Of these, the ones whose old credential lives on until some time after the merge. */
  readonly graces: readonly Address[];
  /** Secrets whose rotation goes on or ends with the merge, and whose value is the same. */
  readonly steps: readonly Address[];
}

/** Compares the branch of a view with its trunk. Needs no key. */
export async function listUnmergedChanges({ tree, trunk }: RotationView): Promise<UnmergedChanges> {
  const { scopes } = await compareTrees(trunk, tree, () => true);
  const values = scopes.flatMap(({ scope, secrets }) =>
    secrets.flatMap(({ name, change }) => (change === "resealed" ? [] : [{ scope, name }])),
  );
  const changed = new Set(values.map(printAddress));
  const flights = await listFlights(tree);
  const journals = new Set([...(await listFlights(trunk)).keys(), ...flights.keys()]);
  const steps = [...journals].sort(compareText).flatMap((text) => {
    const address = parseAddress(text);
    const path = journalPath(address);
    return changed.has(text) || trunk.idOf(path) === tree.idOf(path) ? [] : [address];
  });
  return { values, graces: values.filter((address) => flights.has(printAddress(address))), steps };
}
