import { SealtreeError } from "../errors.ts";
import { printAddress } from "../secret/address.ts";
import { findCurrent, openHeld } from "./held-credentials.ts";
import type { Journal } from "./journal.ts";
import { sealLive, sealPrevious } from "./journal-values.ts";
import { requireLive } from "./provider-calls.ts";
import type { RotationJob, Step } from "./rotation-job.ts";
import type { RotationView } from "./rotation-view.ts";

/**
 * Goes back to the credential that is in grace: it is tested and becomes the live one, and the one
 * that was live gets a grace of its own. Throws E_ROLLBACK_REFUSED where there is none.
 */
export async function takeBack(job: RotationJob, view: RotationView, journal: Journal): Promise<Step> {
  const { previous } = journal;
  if (previous === undefined) {
    throw new SealtreeError("E_ROLLBACK_REFUSED", `a rotation of ${printAddress(job.address)} is in flight`, {
      hints: ["end it first: sealtree rotate --resume, or sealtree rotate ADDRESS --abandon"],
    });
  }
  const connection = await job.connect(view);
  const { provider, calls, rule, bound } = connection;
  const current = await findCurrent(job, view, connection);
  const old = await openHeld(job, view, connection, previous, "previous");
  if (journal.state === "suspended") await calls.change("resume", true, async () => await provider.resume?.(old));
  requireLive(await calls.probeUntilLive(old, bound.propagationMs), `the old value of ${printAddress(job.address)}`);
  job.hasRotated = true;
  return {
    edit: job.edit("roll back", async (now) => {
      const there = await now.scope(job.address.scope);
      const records = await sealLive(there, previous, "previous");
      // A live value that the provider does not know leaves nothing to end.
      if (current === undefined || current.id === previous.id) return { journal: undefined, records };
      const values = await sealPrevious(there, journal.base.keys());
      const next = { id: current.id, values, ...job.graceEnd(journal, rule.graceMs) };
      return {
        journal: { ...journal, state: "promoted", reason: "rollback", lease: undefined, previous: next },
        records,
      };
    }),
  };
}
