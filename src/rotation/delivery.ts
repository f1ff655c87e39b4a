import type { Session } from "../access/session.ts";
import { isSealtreeError } from "../errors.ts";
import type { Environment } from "../git/place.ts";
import type { DeliveredTarget } from "../deploy/deploy-secrets.ts";
import type { DeliveryRecord } from "../deploy/delivery-record.ts";
import { parseAddress, printAddress, type Address } from "../secret/address.ts";
import type { RotationView } from "./rotation-view.ts";

/** Whether programs can have what a rotation made. */
export interface DeliveryState {
  /** Required targets that do not have it. */
  readonly behind: readonly string[];
  /** True when they have it only since this run. */
  readonly isNew: boolean;
}

/** Brings new values to the targets that hold them. */
export interface Delivery {
  /**
   * Whether the required targets have the secrets as the trunk of `view` has them. Sends them what they
   * lack, where whoever runs this may deploy.
   */
  deliver(view: RotationView, addresses: readonly Address[]): Promise<DeliveryState>;
  /** By name, every target that was sent something or could not be. */
  readonly targets: ReadonlyMap<string, DeliveredTarget>;
  /** Why nothing could be sent at all, one sentence each. */
  readonly refusals: ReadonlySet<string>;
}

const deadlineMs = 5 * 60_000;

/** Deploys as `sealtree deploy` does, or with `sends` false only looks. A commit is sent once, and one at a time. */
export function createDelivery(session: Session, env: Environment, { sends }: { readonly sends: boolean }): Delivery {
  const targets = new Map<string, DeliveredTarget>();
  const refusals = new Set<string>();
  /** Commits that were deployed, or could not be. */
  const tried = new Set<string>();
  let last: Promise<unknown> = Promise.resolve();

  let known: { readonly commit: string; readonly record: DeliveryRecord } | undefined;
  const fresh = new Set<string>();

  const look = async (commit: string) => {
    if (known?.commit === commit) return known.record;
    const { loadDeliveryRecord } = await import("../deploy/delivery-record.ts");
    known = { commit, record: await loadDeliveryRecord(session, commit) };
    return known.record;
  };
  const isFresh = (address: Address) => fresh.has(printAddress(address));

  const deliver = async ({ trunkCommit: commit }: RotationView, addresses: readonly Address[]) => {
    const before = await look(commit);
    if (sends && before.behind(addresses).length > 0 && !tried.has(commit)) {
      tried.add(commit);
      for (const address of before.unsent) fresh.add(address);
      await send(commit, [...addresses, ...[...before.unsent].map((text) => parseAddress(text))]);
      known = undefined;
    }
    const required = (await look(commit)).behind(addresses).filter(({ isRequired }) => isRequired);
    return { behind: required.map(({ name }) => name), isNew: addresses.some(isFresh) };
  };

  const send = async (commit: string, addresses: readonly Address[]) => {
    try {
      const { deploySecrets } = await import("../deploy/deploy-secrets.ts");
      const sent = await deploySecrets(session, { addresses, commit, env, deadlineMs });
      for (const target of sent.targets) targets.set(target.target, target);
    } catch (error) {
      if (!isSealtreeError(error)) throw error;
      refusals.add(error.message);
    }
  };

  return {
    targets,
    refusals,
    deliver(view, addresses) {
      const next = last.then(() => deliver(view, addresses));
      last = next.catch(() => undefined);
      return next;
    },
  };
}
