import { setTimeout as sleep } from "node:timers/promises";
import { isProviderFailure, ProviderFailure, type FailureClass } from "../net/provider-failure.ts";
import { reachPoint, type CrashPoint } from "./crash-points.ts";
import type { Credential, Provider } from "./rotators/provider.ts";
import type { Liveness } from "../services/liveness.ts";

/** How often something that failed for now is tried, and with what waits between. */
export interface RetryTimes {
  readonly attempts: number;
  /** The wait after the first try, in milliseconds; doubled after each. */
  readonly firstWaitMs: number;
}

/** What may be called with an effect, each with a point before it and one after. */
type Effect = "apply" | "mint" | "roll" | "revoke" | "suspend" | "resume";

/**
 * The calls to one provider, with a crash point at each: there is no other way from the engine to
 * a provider. Before an effect `fence` is asked; it throws when the rotation is not ours any more.
 */
export class ProviderCalls {
  readonly provider: Provider;
  readonly #fence: () => Promise<void>;
  readonly #retry: RetryTimes;

  constructor(provider: Provider, fence: () => Promise<void>, retry: RetryTimes) {
    this.provider = provider;
    this.#fence = fence;
    this.#retry = retry;
  }

  /** A call that changes nothing; what fails for now is tried again. Throws ProviderFailure. */
  async ask<T>(
    point: Extract<CrashPoint, "choose:after" | "inventory:after"> | undefined,
    call: () => Promise<T>,
  ): Promise<T> {
    const answer = await this.#tryAgain(["transient", "unknown"], call);
    if (point !== undefined) reachPoint(point);
    return answer;
  }

  /** Whether the credential is let in. */
  async probe(credential: Credential): Promise<Liveness> {
    const answer = await this.provider.probe(credential).catch((error: unknown): Liveness => {
      if (isProviderFailure(error)) return "unknown";
      throw error;
    });
    reachPoint("probe:after");
    return answer;
  }

  /**
   * Probes until the answer is a clear one, or `patienceMs` is over; a credential that is dead
   * within that time is one that the provider does not know everywhere yet.
   */
  async probeUntilLive(credential: Credential, patienceMs: number): Promise<Liveness> {
    const end = performance.now() + patienceMs;
    for (let wait = this.#retry.firstWaitMs; ; wait = Math.min(wait * 2, 10_000)) {
      const answer = await this.probe(credential);
      if (answer === "live" || performance.now() + wait > end) return answer;
      await sleep(wait);
    }
  }

  /**
   * A call with an effect. What did nothing is tried again; a call whose outcome is not known is
   * tried again only when `isRepeatable`, and is thrown as `unknown` otherwise.
   */
  async change<T>(effect: Effect, isRepeatable: boolean, call: () => Promise<T>): Promise<T> {
    return await this.#tryAgain(isRepeatable ? ["transient", "unknown"] : ["transient"], async () => {
      await this.#fence();
      reachPoint(`${effect}:before`);
      const result = await call();
      reachPoint(`${effect}:after`);
      return result;
    });
  }

  async #tryAgain<T>(classes: readonly FailureClass[], call: () => Promise<T>): Promise<T> {
    for (let attempt = 1, wait = this.#retry.firstWaitMs; ; attempt++, wait *= 2) {
      try {
        return await call();
      } catch (error) {
        if (!isProviderFailure(error) || !classes.includes(error.class) || attempt >= this.#retry.attempts) throw error;
        await sleep(Math.min(Math.max(wait, error.retryAfterMs ?? 0), 60_000));
      }
    }
  }
}

/** Throws `unknown` unless the credential is live. */
export function requireLive(liveness: Liveness, what: string): void {
  if (liveness === "live") return;
  throw liveness === "dead"
    ? new ProviderFailure("rejected", `the provider does not let ${what} in`)
    : new ProviderFailure("transient", `the provider could not be asked whether it lets ${what} in`);
}
