import type { Address } from "../secret/address.ts";
import type { ProvidedValue } from "./runtime-secret.ts";

/** What a provider knows of one address. Nothing of it is in the map when the provider has no such value. */
export type Provided = ProvidedValue | { readonly failure: unknown };

/** A place that values are read from. All of them are asked in the same way. */
export interface Provider {
  /** Said in health, metrics and errors: `repo`, `environment`, the name of a target, a file. */
  readonly name: string;
  /** Set where it may hold any secret, and nobody misses one that it has not. */
  readonly isOptional?: true;
  /** False for an address that can never be here, so that nobody is asked for it. */
  takes(address: Address): boolean;
  /**
   * The present values of those addresses that it has, by `scope/NAME`. What fails for one address
   * alone is told there; throws when nothing can be said of any.
   */
  read(addresses: readonly Address[]): Promise<ReadonlyMap<string, Provided>>;
  close?(): Promise<void>;
}

/** True for an address that was asked for and could not be told. */
export function isFailed(provided: Provided): provided is { readonly failure: unknown } {
  return "failure" in provided;
}
