import type { Session } from "../access/session.ts";
import { isSealtreeError } from "../errors.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { openCommitTree } from "../store/commit-tree.ts";
import { DeployValues } from "./deploy-values.ts";
import { loadDeployPolicy, type TargetEntry } from "./policy.ts";
import { openReceipts } from "./receipt-store.ts";
import type { Receipt } from "./receipt.ts";

/** What the receipts say of the values of one commit. */
export interface DeliveryRecord {
  /**
   * The targets that hold one of the secrets, alone or within another value, and were not sent what
   * the commit has. A target whose values cannot be opened here counts when it holds the scope of one.
   */
  behind(addresses: readonly Address[]): readonly TargetEntry[];
  /** Every secret, as `scope/NAME`, of which a required target was not sent what the commit has. */
  readonly unsent: ReadonlySet<string>;
}

/** Reads the receipts of all targets. Asks no target. Throws E_POLICY_INVALID. */
export async function loadDeliveryRecord(session: Session, commit: string): Promise<DeliveryRecord> {
  const tree = await openCommitTree(session.place, commit);
  try {
    const entries = [...(await loadDeployPolicy(tree)).targets.values()];
    const unsent = new Map<TargetEntry, ReadonlySet<string> | undefined>();
    if (entries.length > 0) {
      const receipts = await openReceipts(
        session.place,
        entries.map(({ name }) => name),
      );
      const values = new DeployValues(tree, await session.identities());
      for (const entry of entries) unsent.set(entry, await findUnsent(entry, values, receipts.get(entry.name)));
    }
    return {
      behind(addresses) {
        const asked = addresses.map(printAddress);
        return entries.filter((entry) => {
          const sources = unsent.get(entry);
          if (sources === undefined) return addresses.some(({ scope }) => entry.scopes.includes(scope));
          return asked.some((address) => sources.has(address));
        });
      },
      unsent: new Set([...unsent].flatMap(([entry, sources]) => (entry.isRequired ? [...(sources ?? [])] : []))),
    };
  } finally {
    tree.close();
  }
}

/** The secrets in items that the receipt does not have as they are; undefined when the values cannot be opened. */
async function findUnsent(
  entry: TargetEntry,
  values: DeployValues,
  receipt: Receipt | undefined,
): Promise<ReadonlySet<string> | undefined> {
  const isOfPlace = receipt?.kind === entry.kind && receipt.place === entry.bound.place;
  try {
    const items = await values.wanted(entry);
    const unsent = items.filter(({ name, mark }) => {
      const sent = isOfPlace ? receipt.items.get(name) : undefined;
      return sent?.fingerprint !== mark.fingerprint || sent.isPending === true;
    });
    return new Set(unsent.flatMap(({ sources }) => sources));
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}
