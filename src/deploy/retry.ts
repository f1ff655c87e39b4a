import { setTimeout as sleep } from "node:timers/promises";
import { isProviderFailure, type ProviderFailure } from "../net/provider-failure.ts";
import type { Deadline } from "./deadline.ts";

/** How often something that failed for now is tried, and what waits between. */
export interface RetryTimes {
  /** Tries in a row without any progress. */
  readonly attempts: number;
  /** The wait after the first try, in milliseconds; doubled after each, up to a minute. */
  readonly firstWaitMs: number;
}

export const usualRetry: RetryTimes = { attempts: 7, firstWaitMs: 500 };

/** True for what may be over when it is tried again. */
export function isPassing(error: unknown): error is ProviderFailure {
  return isProviderFailure(error) && (error.class === "transient" || error.class === "unknown");
}

/** True for a failure that another try does not change. */
export function isLasting(failure: ProviderFailure): boolean {
  return !isPassing(failure);
}

/**
 * Waits before another try: longer each time, with a part of it by chance, and as long as the service
 * asked for. False, at once, when there is no further try, or no time for it.
 */
export async function waitToRetry(
  failed: number,
  { attempts, firstWaitMs }: RetryTimes,
  deadline: Deadline,
  retryAfterMs = 0,
): Promise<boolean> {
  if (failed >= attempts) return false;
  const wait = Math.min(firstWaitMs * 2 ** (failed - 1), 60_000) * (0.5 + Math.random() / 2);
  const ms = Math.max(wait, retryAfterMs);
  if (ms >= deadline.leftMs()) return false;
  await sleep(ms);
  return true;
}
