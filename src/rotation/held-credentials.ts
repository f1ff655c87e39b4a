import { readParts } from "./credential-values.ts";
import type { JournalCredential } from "./journal.ts";
import { openJournaled, openLive } from "./journal-values.ts";
import type { Connection, RotationJob } from "./rotation-job.ts";
import type { RotationView } from "./rotation-view.ts";
import type { Credential } from "./rotators/provider.ts";

/** The credential that the live values are; undefined when the provider knows none such. */
export async function findCurrent(
  job: RotationJob,
  view: RotationView,
  { calls, provider, rule, bound }: Connection,
): Promise<Credential | undefined> {
  const values = await openLive(await view.scope(job.address.scope), job.address, rule);
  return await calls.ask(undefined, () => provider.identify(readParts(job.address, rule, bound.parts, values)));
}

/** The credential that a journal holds. Throws as opening a record does. */
export async function openHeld(
  job: RotationJob,
  view: RotationView,
  { rule, bound }: Connection,
  held: JournalCredential,
  purpose: "pending" | "previous",
): Promise<Credential> {
  const values = await openJournaled(await view.scope(job.address.scope), held, purpose);
  return { id: held.id, parts: readParts(job.address, rule, bound.parts, values) };
}
