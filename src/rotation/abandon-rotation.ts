import { SealtreeError } from "../errors.ts";
import { printAddress } from "../secret/address.ts";
import { findCurrent, openHeld } from "./held-credentials.ts";
import type { Journal } from "./journal.ts";
import { revokeOrphans } from "./make-credential.ts";
import type { RotationJob, Step } from "./rotation-job.ts";
import type { RotationView } from "./rotation-view.ts";

/**
 * Ends a rotation in flight without a new value: what it has made at the provider is revoked, and
 * the live value stays. Throws E_ROTATION_NOT_DONE for one that has a new value already.
 */
export async function abandonRotation(job: RotationJob, view: RotationView, journal: Journal): Promise<Step> {
  const connection = await job.connect(view);
  const { provider, calls } = connection;
  const current = await findCurrent(job, view, connection);
  const { pending } = journal;
  if (journal.previous !== undefined || (pending !== undefined && pending.id === current?.id)) {
    throw new SealtreeError("E_ROTATION_NOT_DONE", `the rotation of ${printAddress(job.address)} has its new value`, {
      hints: [
        `go back to the old one: sealtree rollback ${printAddress(job.address)} --to previous`,
        "or end it: sealtree rotate --resume",
      ],
    });
  }
  if (pending !== undefined && provider.kind !== "rolled") {
    const made = await openHeld(job, view, connection, pending, "pending");
    await calls.change("revoke", true, () => provider.revoke(made));
  } else if (provider.kind === "minted") await revokeOrphans(connection, provider, journal, current);
  return {
    edit: job.edit("abandon rotating", () => Promise.resolve({ journal: undefined })),
    outcome: { kind: "abandoned" },
  };
}
