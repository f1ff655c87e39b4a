import { isProviderFailure, ProviderFailure } from "../net/provider-failure.ts";
import type { PlanStep } from "./plan.ts";
import { isLasting, waitToRetry } from "./retry.ts";
import { toFailure, type TargetFailure, type TargetJob } from "./target-job.ts";
import type { Change, Found, Item } from "./targets/target.ts";

/**
 * How it ended at one target. `in order`: all that is wanted is there; `conflict`: something there is
 * somebody else's, and nothing was sent; `failed`: the rest is not there, or not known to be;
 * `skipped`: not begun; `planned`: a dry run.
 */
export interface TargetOutcome {
  readonly kind: "in order" | "conflict" | "failed" | "skipped" | "planned";
  /** The plan of this run's first look. */
  readonly steps: readonly PlanStep[];
  /** Names there that were written, and that were removed. */
  readonly written: readonly string[];
  readonly removed: readonly string[];
  readonly failures: readonly TargetFailure[];
}

/**
 * Brings one target in order after it was looked at: applies what differs, looks again, and goes on
 * with what is left until nothing is. What it did is recorded also when it fails.
 */
export async function deployTarget(job: TargetJob): Promise<TargetOutcome> {
  const first = job.steps;
  const sent = new SentItems();
  let failures: readonly TargetFailure[] = [];
  const before = JSON.stringify([...job.deployed]);
  try {
    failures = await bringInOrder(job, sent);
  } catch (error) {
    failures = [toFailure(error)];
  }
  try {
    await record(job, sent, before);
  } catch (error) {
    failures = [...failures, toFailure(error)];
  }
  job.say("over", sent.written.size);
  return {
    kind: failures.length > 0 ? "failed" : hasConflict(job) ? "conflict" : "in order",
    steps: first,
    written: [...sent.written],
    removed: [...sent.removed],
    failures,
  };
}

/** What a target acknowledged in this run. */
class SentItems {
  readonly written = new Set<string>();
  readonly removed = new Set<string>();
  /** What the target will not take. */
  readonly rejected = new Map<string, ProviderFailure>();

  /** Whether the target took a change of this run, be it an empty one. */
  isNoted = false;

  get count(): number {
    return this.written.size + this.removed.size;
  }
}

async function bringInOrder(job: TargetJob, sent: SentItems): Promise<TargetFailure[]> {
  const { deadline, retry } = job.run;
  for (let failed = 1; ; failed++) {
    const change = toChange(job, sent);
    const isNoted = job.entry.bound.facts.ordersWriters !== true || sent.isNoted || hasConflict(job);
    if (isEmpty(change) && isNoted) return [...[...sent.rejected].map(sayRejected), ...listBlocked(job)];
    const before = sent.count;
    let failure = await applyOnce(job, change, sent);
    if (failure !== undefined && isLasting(failure)) throw failure;
    if (failure === undefined) {
      await job.look();
      const [left] = [...toChange(job, sent).writes, ...toChange(job, sent).removes];
      if (left === undefined) continue;
      failure = new ProviderFailure("unknown", `${left.name} is not there as it was sent`);
    }
    if (sent.count > before) failed = 1;
    job.say("waiting", sent.written.size);
    if (!(await waitToRetry(failed, retry, deadline, failure.retryAfterMs))) throw failure;
    await job.look();
  }
}

/** One try. Gives what kept it from its end. */
async function applyOnce(job: TargetJob, change: Change, sent: SentItems): Promise<ProviderFailure | undefined> {
  await recordIntent(job, change);
  const total = change.writes.length + change.removes.length;
  const items = new Map(change.writes.map((item) => [item.name, item]));
  let later: ProviderFailure | undefined;
  let done = 0;
  job.say("sending", 0, total);
  const progress = {
    done(name: string) {
      const item = items.get(name);
      if (item === undefined) {
        sent.removed.add(name);
        job.deployed.delete(name);
      } else {
        sent.written.add(name);
        job.deployed.set(name, { ...item.mark });
      }
      job.say("sending", ++done, total);
    },
    failed(name: string, failure: ProviderFailure) {
      if (!isLasting(failure)) later = failure;
      else sent.rejected.set(name, failure);
    },
  };
  try {
    const connection = await job.connect();
    await job.run.deadline.race(connection.apply(change, progress));
    sent.isNoted = true;
    return later;
  } catch (error) {
    if (!isProviderFailure(error)) throw error;
    return error;
  }
}

/** What is left to be done; nothing where something there is somebody else's. */
function toChange(job: TargetJob, { rejected }: SentItems): Change {
  if (hasConflict(job)) return { writes: [], removes: [], wanted: [] };
  const names = (...actions: readonly PlanStep["action"][]) =>
    job.steps.filter(({ name, action }) => actions.includes(action) && !rejected.has(name)).map(({ name }) => name);
  const items = (all: readonly string[]) => all.flatMap((name): Item[] => toList(job.item(name)));
  return {
    writes: items(names("create", "update")),
    removes: names("remove").flatMap((name): Found[] => toList(job.found(name))),
    wanted: items(names("create", "update", "same")),
    sequence: job.run.sequence,
  };
}

/**
 * Where no mark can be left with a value, what is about to be there is recorded first, so that a run that is cut
 * off does not leave what nobody knows to be ours.
 */
async function recordIntent(job: TargetJob, change: Change): Promise<void> {
  const { entry, deployed } = job;
  const { keepsMarks, marksLater } = entry.bound.facts;
  if (keepsMarks && marksLater !== true) return;
  const fresh = change.writes.filter(({ name }) => !deployed.has(name));
  if (fresh.length === 0) return;
  for (const { name, mark } of fresh) deployed.set(name, { ...mark, isPending: true });
  await keep(job);
  await job.run.receipts.push();
}

/** What is there as it was sent is recorded with its time there; what is gone and not wanted is forgotten. */
async function record(job: TargetJob, sent: SentItems, before: string): Promise<void> {
  const { deployed } = job;
  for (const { name, action, isSeen } of job.steps) {
    const wanted = job.item(name);
    if (action !== "same" || wanted === undefined) continue;
    if (isSeen || sent.written.has(name))
      deployed.set(name, { ...wanted.mark, changedAtMs: wanted.found?.changedAtMs });
    // The mark says that it was sent; of which time the present value is, nobody knows.
    else if (deployed.get(name)?.fingerprint !== wanted.mark.fingerprint) deployed.set(name, { ...wanted.mark });
  }
  const wanted = new Set(job.wanted.map(({ name }) => job.keyOf(name)));
  const isLooked = job.steps.length > 0;
  for (const name of deployed.keys())
    if (isLooked && !wanted.has(job.keyOf(name)) && job.found(name) === undefined) deployed.delete(name);
  for (const name of sent.rejected.keys()) if (deployed.get(name)?.isPending === true) deployed.delete(name);
  if (JSON.stringify([...deployed]) !== before) await keep(job);
}

async function keep({ run, entry, deployed }: TargetJob): Promise<void> {
  await run.receipts.keep({
    target: entry.name,
    kind: entry.kind,
    place: entry.bound.place,
    commit: run.commit,
    timeMs: run.now().getTime(),
    actor: run.actor,
    items: new Map(deployed),
  });
}

function sayRejected([name, failure]: readonly [string, ProviderFailure]): TargetFailure {
  const { class: failureClass, message, hints } = toFailure(failure);
  return { class: failureClass, message: `${name}: ${message}`, hints };
}

function isEmpty({ writes, removes }: Change): boolean {
  return writes.length === 0 && removes.length === 0;
}

function hasConflict({ steps }: TargetJob): boolean {
  return steps.some(({ action }) => action === "conflict");
}

function listBlocked({ steps }: TargetJob): TargetFailure[] {
  return steps
    .filter(({ action }) => action === "blocked")
    .map(({ name, reason }) => ({
      class: "transient",
      message: `${name} cannot be written now: ${reason}`,
      hints: [],
    }));
}

function toList<T>(item: T | undefined): T[] {
  return item === undefined ? [] : [item];
}
