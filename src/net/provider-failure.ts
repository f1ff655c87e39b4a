/**
 * What went wrong at a provider, by what is to be done about it. `rejected`: it does not take this
 * value or request, and another try with the same gives the same. `auth`: it does not let us in.
 * `limit`: it has no room, such as a third access key. `transient`: it did nothing, and a later
 * try may work. `unknown`: it may have done it or not, so ask it before anything else.
 */
export type FailureClass = "rejected" | "auth" | "limit" | "transient" | "unknown";

export interface FailureContext {
  /** What to do about it, one line each. */
  readonly hints?: readonly string[];
  /** The earliest sensible time of another try, in milliseconds from now, where the provider said so. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

const brand = Symbol.for("sealtree.provider-failure");

/**
 * A call to a provider that did not end well. The message is ours alone, lower case and without a
 * full stop: what a provider says may repeat a value, so it is never part of it, but for a status
 * or a code that is of a known shape.
 */
export class ProviderFailure extends Error {
  readonly class: FailureClass;
  readonly hints: readonly string[];
  readonly retryAfterMs: number | undefined;
  readonly [brand] = true;

  constructor(failureClass: FailureClass, message: string, context: FailureContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = "ProviderFailure";
    this.class = failureClass;
    this.hints = context.hints ?? [];
    this.retryAfterMs = context.retryAfterMs;
  }
}

/** True for a {@link ProviderFailure}, also across two copies of this module in a bundle. */
export function isProviderFailure(error: unknown): error is ProviderFailure {
  return typeof error === "object" && error !== null && brand in error;
}
