import { SealtreeError } from "../errors.ts";
import { isProviderFailure } from "../net/provider-failure.ts";
import { printAddress } from "../secret/address.ts";
import { sealPending } from "./begin-rotation.ts";
import { fingerprintRule } from "./credential-values.ts";
import { findCurrent, openHeld } from "./held-credentials.ts";
import type { Journal, JournalCredential } from "./journal.ts";
import { checkBase, sealLive, sealPrevious } from "./journal-values.ts";
import { requireLive } from "./provider-calls.ts";
import type { Made } from "./rotation-branch.ts";
import type { Connection, RotationJob, Step } from "./rotation-job.ts";
import type { RotationView, ViewScope } from "./rotation-view.ts";
import type { ChosenProvider, Credential } from "./rotators/provider.ts";

/** How many values a provider may refuse before a person must look. */
const maxRejected = 3;

/**
 * From `pending` to `promoted`: the provider gets the value, if it is ours to choose, it is tested,
 * and becomes the live one; the old one is kept for its grace.
 */
export async function provePending(job: RotationJob, view: RotationView, journal: Journal): Promise<Step> {
  const { pending } = journal;
  if (pending === undefined) throw new Error("a pending journal has a pending value");
  job.minted = undefined;
  const connection = await job.connect(view);
  const { provider, calls, rule, bound } = connection;
  const scope = await view.scope(job.address.scope);
  const current = await findCurrent(job, view, connection);
  const next = await openHeld(job, view, connection, pending, "pending");

  if (isStale(scope, pending)) return await replacePending(job, connection, journal, next, current, journal.rejected);
  const isOtherRule = journal.rule !== fingerprintRule(rule);
  const known = job.isUntouched ? "dead" : await calls.probe(next);
  if (known !== "live" && provider.kind === "chosen") {
    if (isOtherRule && known === "unknown") requireLive(known, `the pending value of ${printAddress(job.address)}`);
    if (isOtherRule) return await chooseAgain(job, connection, provider, journal, current, journal.rejected);
    try {
      await apply(connection, provider, next, current);
    } catch (error) {
      if (!isProviderFailure(error) || error.class !== "rejected" || journal.rejected + 1 >= maxRejected) throw error;
      // Somebody asked for this value and no other.
      if (journal.reason === "rollback") throw error;
      return await chooseAgain(job, connection, provider, journal, current, journal.rejected + 1);
    }
  }
  job.isUntouched = false;
  const proved = await calls.probeUntilLive(next, bound.propagationMs);
  // It was taken away there, and what is made by the provider cannot be sent again.
  if (proved === "dead" && provider.kind !== "chosen" && journal.rejected + 1 < maxRejected)
    return await replacePending(job, connection, journal, next, current, journal.rejected + 1);
  requireLive(proved, `the new value of ${printAddress(job.address)}`);
  const isOver = current === undefined || current.id === next.id || provider.kind === "rolled";
  job.hasRotated = true;
  const ends = job.endsAtOnce ? 0 : rule.graceMs;
  return {
    edit: job.edit("rotate", (now) =>
      promote(job, now, journal, pending, isOver ? undefined : { id: current.id, graceMs: ends }),
    ),
  };
}

/** Sends the value; after an unknown outcome the provider is asked before it is sent again. */
async function apply(
  { calls }: Connection,
  provider: ChosenProvider,
  next: Credential,
  current: Credential | undefined,
): Promise<void> {
  try {
    await calls.change("apply", false, () => provider.apply(next, current));
  } catch (error) {
    if (!isProviderFailure(error) || error.class !== "unknown") throw error;
    if ((await calls.probe(next)) === "live") return;
    await calls.change("apply", true, () => provider.apply(next, current));
  }
}

async function chooseAgain(
  job: RotationJob,
  connection: Connection,
  provider: ChosenProvider,
  journal: Journal,
  current: Credential | undefined,
  rejected: number,
): Promise<Step> {
  const next = await connection.calls.ask("choose:after", () => provider.choose(current));
  job.isUntouched = true;
  const again = { ...journal, rule: fingerprintRule(connection.rule), rejected };
  return { edit: job.edit("go on rotating", sealPending(job, connection, again, next)) };
}

/**
 * For a pending value that must never become the live one, as when somebody could read it who may
 * not now. The provider may have it, and no journal names it once another takes its place.
 */
async function replacePending(
  job: RotationJob,
  connection: Connection,
  journal: Journal,
  next: Credential,
  current: Credential | undefined,
  rejected: number,
): Promise<Step> {
  const { provider, calls } = connection;
  const revoke = () => calls.change("revoke", true, () => provider.revoke(next));
  if (provider.kind === "chosen") {
    if (!job.isUntouched && next.id !== current?.id) await revoke();
    return await chooseAgain(job, connection, provider, journal, current, rejected);
  }
  job.isUntouched = false;
  if (provider.kind === "rolled") {
    const claimed: Journal = { ...journal, state: "claimed", pending: undefined, rejected };
    return { edit: job.edit("go on rotating", () => Promise.resolve({ journal: claimed })) };
  }
  await revoke();
  const known = await calls.ask("inventory:after", () => provider.inventory());
  const claimed: Journal = { ...journal, state: "claimed", pending: undefined, known, rejected };
  return { edit: job.edit("go on rotating", () => Promise.resolve({ journal: claimed })) };
}

/** True for a value that somebody could read who may not read it now. */
function isStale(scope: ViewScope, { values }: JournalCredential): boolean {
  return [...values.values()].some((record) => scope.isStale(record));
}

async function promote(
  job: RotationJob,
  view: RotationView,
  journal: Journal,
  pending: JournalCredential,
  previous: { readonly id: string; readonly graceMs: number } | undefined,
): Promise<Made> {
  const scope = await view.scope(job.address.scope);
  checkBase(scope.open.entries, job.address, journal.base);
  if (isStale(scope, pending)) {
    throw new SealtreeError("E_RACED", `a reader of ${job.address.scope} was removed just now`, {
      hints: ["run the command again: it gives a value that they never knew"],
    });
  }
  const records = await sealLive(scope, pending, "pending");
  if (previous === undefined) return { journal: undefined, records };
  const values = await sealPrevious(scope, journal.base.keys());
  return {
    journal: {
      ...journal,
      state: "promoted",
      pending: undefined,
      known: undefined,
      lease: job.endsAtOnce && !job.isForMerge ? journal.lease : undefined,
      previous: { id: previous.id, values, ...job.graceEnd(journal, previous.graceMs) },
    },
    records,
  };
}
