import { inspectLock } from "../store/lock.ts";
import type { Session } from "../access/session.ts";
import type { Delivery } from "./delivery.ts";
import type { RotationBranch } from "./rotation-branch.ts";
import type { RetryTimes } from "./provider-calls.ts";
import type { Journal } from "./journal.ts";
import type { Rule } from "./policy.ts";
import { bindProvider, type BoundProvider } from "./rotators/registry.ts";

/** One run of the engine, of this process. */
export interface RotationRun {
  readonly session: Session;
  readonly branch: RotationBranch;
  /** Names this run in the leases that it takes, 16 hex digits. */
  readonly holder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long one call to a provider may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly retry: RetryTimes;
  /** What rotates by a rule; undefined for a rule that has nothing at a provider. */
  bind(rule: Rule): BoundProvider | undefined;
  /** Undefined where nothing is deployed, and old credentials are ended without a look at targets. */
  readonly delivery: Delivery | undefined;
  /** Where a run of this machine keeps the file that tells whether it is alive. */
  lockPath(holder: string): string;
}

/** How long one call to a provider may take, in milliseconds, where nothing else is said. */
export const callTimeoutMs = 30_000;

/** What rotates by a rule, of all the rotators that there are. */
export const bindRule: RotationRun["bind"] = ({ rotator, options }) => bindProvider(rotator, options);

/** How long a lease is taken for. A run that was cut off keeps others out for so long at most. */
const leaseMs = 15 * 60_000;

/** A lease that ends sooner is taken anew before anything else is done. */
const renewBelowMs = 5 * 60_000;

/** Clocks of two machines may differ by so much. */
const clockSkewMs = 60_000;

/** Whether this run holds the journal, may take it, or another works on it. */
export function leaseOf(run: RotationRun, journal: Journal): "ours" | "ending" | "free" | "taken" {
  const { lease } = journal;
  const now = run.session.now().getTime();
  if (lease === undefined) return "free";
  if (lease.holder === run.holder) return lease.untilMs - now < renewBelowMs ? "ending" : "ours";
  if (now > lease.untilMs + clockSkewMs) return "free";
  // A run of this machine whose process is gone will not come back.
  return inspectLock(run.lockPath(lease.holder)) === "stale" ? "free" : "taken";
}

/** A lease for this run from now on. */
export function newLease(run: RotationRun): NonNullable<Journal["lease"]> {
  return { holder: run.holder, untilMs: run.session.now().getTime() + leaseMs };
}

/** True while a call that begins now is over, at the latest, before the lease is. */
export function isLeaseLongEnough(run: RotationRun, journal: Journal): boolean {
  const { lease } = journal;
  if (lease?.holder !== run.holder) return false;
  return lease.untilMs - run.session.now().getTime() > 2 * run.timeoutMs + clockSkewMs;
}
