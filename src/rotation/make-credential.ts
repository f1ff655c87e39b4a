import { setTimeout as sleep } from "node:timers/promises";
import { isProviderFailure } from "../net/provider-failure.ts";
import { sealPending } from "./begin-rotation.ts";
import { findCurrent } from "./held-credentials.ts";
import type { Journal } from "./journal.ts";
import { checkBase } from "./journal-values.ts";
import type { Connection, RotationJob, Step } from "./rotation-job.ts";
import type { RotationView } from "./rotation-view.ts";
import type { Credential, MintedProvider } from "./rotators/provider.ts";

/** How often a credential is made whose fate is not known. */
const mintAttempts = 3;

/**
 * From `claimed` to `pending`: the provider makes the credential. One that was made before and
 * whose value nobody has is found by what is there now and was not before, and is revoked first.
 */
export async function makeCredential(job: RotationJob, view: RotationView, journal: Journal): Promise<Step> {
  const connection = await job.connect(view);
  // What could not be recorded afterwards must not be made.
  checkBase((await view.scope(job.address.scope)).open.entries, job.address, journal.base);
  const current = await findCurrent(job, view, connection);
  job.minted ??= await make(job, connection, journal, current);
  const made = job.minted;
  job.isUntouched = false;
  return { edit: job.edit("go on rotating", sealPending(job, connection, journal, made)) };
}

async function make(
  job: RotationJob,
  connection: Connection,
  journal: Journal,
  current: Credential | undefined,
): Promise<Credential> {
  const { provider, calls } = connection;
  if (provider.kind === "chosen") throw new Error("a value that we choose is never claimed");
  // Rolled again when the fate of the last one is not known: the slot holds what came last.
  if (provider.kind === "rolled") return await calls.change("roll", true, () => provider.roll(current));
  for (let attempt = 1; ; attempt++) {
    if (!job.isUntouched) await revokeOrphans(connection, provider, journal, current);
    try {
      return await calls.change("mint", false, () => provider.mint(journal.run));
    } catch (error) {
      if (!isProviderFailure(error) || error.class !== "unknown" || attempt >= mintAttempts) throw error;
      job.isUntouched = false;
      await sleep(job.run.retry.firstWaitMs * 2 ** attempt);
    }
  }
}

/** Ends what a rotation may have made at the provider and whose value nobody has. Throws ProviderFailure. */
export async function revokeOrphans(
  { calls }: Connection,
  provider: MintedProvider,
  { known = [], run, startedAtMs }: Journal,
  current: Credential | undefined,
): Promise<void> {
  const now = await calls.ask("inventory:after", () => provider.inventory());
  for (const id of now.filter((each) => !known.includes(each) && each !== current?.id)) {
    const isOurs = await calls.ask(undefined, () => provider.isTagged(id, run, new Date(startedAtMs)));
    if (isOurs !== false) await calls.change("revoke", true, () => provider.revoke({ id, parts: {} }));
  }
}
