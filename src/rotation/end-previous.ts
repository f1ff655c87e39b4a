import { printAddress } from "../secret/address.ts";
import { findCurrent, openHeld } from "./held-credentials.ts";
import type { Journal } from "./journal.ts";
import { requireLive } from "./provider-calls.ts";
import type { RotationOutcome } from "./rotation-outcome.ts";
import type { RotationJob, Step } from "./rotation-job.ts";
import type { RotationView } from "./rotation-view.ts";

/**
 * From `promoted` to the end: the live value is tested once more, then the old credential is taken
 * out of use, and a grace later revoked. Where it cannot be taken out of use, or in an emergency,
 * it is revoked at once.
 */
export async function endPrevious(job: RotationJob, view: RotationView, journal: Journal): Promise<Step> {
  const { previous } = journal;
  if (previous === undefined) throw new Error("a promoted journal has a previous value");
  const connection = await job.connect(view);
  const { provider, calls, rule } = connection;
  const current = await findCurrent(job, view, connection);
  const name = printAddress(job.address);
  requireLive(
    current === undefined ? "dead" : await calls.probe(current),
    `the present value of ${name}, so the old one is kept`,
  );
  const over = (outcome: RotationOutcome | undefined): Step => ({
    edit: job.edit("end rotating", () => Promise.resolve({ journal: undefined })),
    outcome,
  });
  // Somebody went back to it: it is the live one, and nothing is there to end.
  if (current?.id === previous.id) return over(afterwards(job));
  const old = await openHeld(job, view, connection, previous, "previous");
  if (provider.suspend !== undefined && journal.state === "promoted" && !job.isEmergency) {
    await calls.change("suspend", true, async () => await provider.suspend?.(old));
    const untilMs = job.run.session.now().getTime() + rule.graceMs;
    const suspended: Journal = {
      ...journal,
      state: "suspended",
      lease: undefined,
      previous: { ...previous, revokeAfterMs: untilMs },
    };
    return {
      edit: job.edit("suspend the old credential of", () => Promise.resolve({ journal: suspended })),
      outcome: job.hasRotated ? { kind: "rotated", graceUntilMs: untilMs } : { kind: "suspended", untilMs },
    };
  }
  await calls.change("revoke", true, () => provider.revoke(old));
  return over(afterwards(job));
}

/** What the job comes to when the old credential is gone; undefined when it goes on with a new value. */
function afterwards(job: RotationJob): RotationOutcome | undefined {
  if (job.needsNew) return undefined;
  return job.hasRotated ? { kind: "rotated", graceUntilMs: undefined } : { kind: "ended" };
}
