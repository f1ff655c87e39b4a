import type { Identity } from "../crypto/identity.ts";
import { isSealtreeError } from "../errors.ts";
import { createInterpolation } from "../resolve/interpolate.ts";
import type { MissingReference } from "../resolve/missing-reference.ts";
import { createSecretSource } from "../resolve/secret-source.ts";
import { printAddress, type Address } from "../secret/address.ts";
import type { Tree } from "../store/tree.ts";

/** A value whose references cannot be resolved. */
export interface ReferenceFlaw {
  readonly address: Address;
  /** One sentence without its full stop and without a value. */
  readonly text: string;
  readonly hint: string | undefined;
}

/**
 * What is wrong with the references of `addresses`, secrets of `tree` that the identities open: what is
 * not there, a circle, no reference at all, or a secret that not all readers may read. What goes wrong in
 * a value that is referred to is said of that value only.
 */
export async function findReferenceFlaws(
  tree: Tree,
  identities: readonly Identity[],
  addresses: readonly Address[],
): Promise<ReferenceFlaw[]> {
  const source = createSecretSource(tree, identities);
  const interpolation = createInterpolation(source);
  const flaws: ReferenceFlaw[] = [];
  for (const address of addresses) {
    const own = printAddress(address);
    const missing: MissingReference[] = [];
    try {
      await interpolation.resolve(await source.open(address), missing);
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      if (error.code === "E_NO_ACCESS" || !error.message.includes(own)) continue;
      flaws.push({ address, text: error.message, hint: error.hints[0] });
    }
    const gone = missing.filter(({ place, error }) => place === own && error.code !== "E_NO_ACCESS");
    for (const target of new Set(gone.map((it) => printAddress(it.address)))) {
      const hint = `sealtree set ${target}, or sealtree edit ${address.scope}`;
      flaws.push({ address, text: `${own} refers to ${target}, which is not there`, hint });
    }
  }
  return flaws;
}
