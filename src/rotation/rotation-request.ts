import type { Address } from "../secret/address.ts";
import type { EarlierValues } from "./journal-values.ts";
import type { Urgency } from "./select.ts";

/** What is wanted of one secret. */
export interface RotationRequest {
  readonly address: Address;
  /**
   * `finish` only goes on with what is in flight or in grace; `previous value` goes back to the one
   * that is in grace; `earlier value` gives one again that the provider has ended; `abandon` ends what
   * is in flight and keeps the live value.
   */
  readonly wants: "new value" | "finish" | "previous value" | "earlier value" | "abandon";
  /** The values to give again, for `earlier value`. */
  readonly earlier?: EarlierValues;
  readonly urgency: Urgency;
  /** True for an emergency in which the old credential lives on for its grace all the same. */
  readonly keepsGrace?: boolean;
  /** True when somebody asked for this secret by name, as a rotation with an outage needs. */
  readonly isNamed: boolean;
}
