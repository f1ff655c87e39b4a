import { isProviderFailure, type FailureClass } from "../net/provider-failure.ts";
import { isSealtreeError, SealtreeError, type ErrorCode } from "../errors.ts";

/** What a run did with one secret. */
export type RotationOutcome =
  /** It has a new value, that is tested. The old one is alive until then; undefined when it is not. */
  | { readonly kind: "rotated"; readonly graceUntilMs: number | "after merge" | undefined }
  /** Nothing new: the old credential of a rotation that was done before is revoked, or only out of use. */
  | { readonly kind: "ended" }
  | { readonly kind: "suspended"; readonly untilMs: number }
  /** What was in flight is ended at the provider, and the live value is what it was. */
  | { readonly kind: "abandoned" }
  /** Its last rotation is in grace, so that nothing is to be done. */
  | { readonly kind: "in grace"; readonly untilMs: number }
  /** Its last rotation waits for its pull request; the old credential is good until then. */
  | { readonly kind: "awaits merge" }
  /** The old credential would be ended now, but these required targets do not have the new one. */
  | { readonly kind: "awaits delivery"; readonly targets: readonly string[]; readonly hints: readonly string[] }
  /** Another run works on it. */
  | { readonly kind: "busy"; readonly untilMs: number }
  /** Nothing was done, for a reason that holds until somebody changes something. */
  | { readonly kind: "refused"; readonly reason: string; readonly hints: readonly string[] }
  /** Everything that a dry run can look at is as it must be. */
  | { readonly kind: "ready"; readonly remarks: readonly string[] }
  | RotationFailure;

/** Something went wrong. When it is in flight, the next run goes on where this one stopped. */
export interface RotationFailure {
  readonly kind: "failed";
  readonly class: FailureClass | "error";
  /** The code of our own failures. */
  readonly code: ErrorCode;
  readonly message: string;
  readonly hints: readonly string[];
  readonly isInFlight: boolean;
}

const nextSteps: Readonly<Record<FailureClass, string>> = {
  rejected: "look at the rule: the provider does not take what it asks for",
  auth: "look at the administrator's credential in the rule, and at its rights",
  limit: "make room at the provider, then run the command again",
  transient: "run the command again later: sealtree rotate --resume",
  unknown: "run the command again: it asks the provider first what has happened",
};

/** A failure for the report. What is neither ours nor a provider's is a bug and goes on. */
export function toFailure(error: unknown, isInFlight: boolean): RotationFailure {
  if (isProviderFailure(error)) {
    const hints = error.hints.length > 0 ? error.hints : [nextSteps[error.class]];
    return { kind: "failed", class: error.class, code: "E_PROVIDER", message: error.message, hints, isInFlight };
  }
  if (!isSealtreeError(error)) throw error;
  const { code, message, hints } = error;
  return { kind: "failed", class: "error", code, message, hints, isInFlight };
}

/** The failure as an error, for a command that was about this one secret. */
export function failureError({ code, message, hints }: RotationFailure): SealtreeError {
  return new SealtreeError(code, message, { hints });
}
