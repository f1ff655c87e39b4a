import type { Secret } from "../../secret/secret.ts";
import type { Liveness } from "../../services/liveness.ts";

/** What a program logs in with. */
export interface Credential {
  /**
   * Names it at the provider and is no secret: a user, the id of a key, the hash of a long random
   * password. It stands in the journal in the clear, and is equal only for the same credential.
   */
  readonly id: string;
  /** By part name. */
  readonly parts: Readonly<Record<string, Secret>>;
}

interface AnyProvider {
  /**
   * Looks whether a rotation can work: the way in, the rights, a free slot. Changes nothing. Gives
   * remarks for a dry run. Throws ProviderFailure: `auth` for missing rights, `limit` for no free slot.
   */
  preflight(current: Credential | undefined): Promise<readonly string[]>;
  /**
   * The credential that the present values are, of which a part may be missing; undefined when the
   * provider has none such, or they never were one. Changes nothing.
   */
  identify(parts: Readonly<Record<string, Secret>>): Promise<Credential | undefined>;
  /** Logs in with it. Changes nothing. Does not throw for a provider that is not there: that is `unknown`. */
  probe(credential: Credential): Promise<Liveness>;
  /** Ends a credential for good. One that is ended already is a success. Touches nothing else. */
  revoke(credential: Credential): Promise<void>;
  /** Ends a credential so that {@link AnyProvider.resume} can bring it back. Idempotent. */
  suspend?(credential: Credential): Promise<void>;
  resume?(credential: Credential): Promise<void>;
  close(): Promise<void>;
}

/** A provider that takes the value we choose. */
export interface ChosenProvider extends AnyProvider {
  readonly kind: "chosen";
  /**
   * A new credential, which is nowhere yet: for two users, the other one. Never of the id of
   * `current` where both are to live side by side.
   */
  choose(current: Credential | undefined): Promise<Credential>;
  /**
   * The credential that has the value of an earlier one, of which `earlier` are the parts, and that is
   * nowhere now. Whose it is goes by what is current, as in {@link ChosenProvider.choose}. Throws
   * ProviderFailure `rejected` for what cannot be one.
   */
  recall(earlier: Readonly<Record<string, Secret>>, current: Credential | undefined): Promise<Credential>;
  /**
   * Makes `next` live, and leaves `current` as it is unless the rotator has an outage. Doing it
   * again with the same `next` changes nothing. Sends a verifier and not the value where the
   * provider takes one. Throws ProviderFailure; `rejected` only when it is this value.
   */
  apply(next: Credential, current: Credential | undefined): Promise<void>;
}

/** A provider that makes the value and shows it once. */
export interface MintedProvider extends AnyProvider {
  readonly kind: "minted";
  /** Ids of all credentials that are there, whoever made them. */
  inventory(): Promise<readonly string[]>;
  /**
   * A new credential. `tag` is new for each rotation, 16 hex digits; where the provider keeps a
   * name or a note with a credential, the tag is in it, so that an orphan is known as ours.
   */
  mint(tag: string): Promise<Credential>;
  /**
   * Whether the credential of that id was made by {@link MintedProvider.mint} with `tag`, in a
   * rotation that began at `startedAt`; undefined where nothing tells, and then it counts as ours
   * when it was not in the inventory before.
   */
  isTagged(id: string, tag: string, startedAt: Date): Promise<boolean | undefined>;
}

/** A provider with one slot: the old value ends when the new one is made. */
export interface RolledProvider extends AnyProvider {
  readonly kind: "rolled";
  /** The new credential; the old one is dead from now on. Doing it again makes another. */
  roll(current: Credential | undefined): Promise<Credential>;
}

/** An open connection to where a credential is used. Every call may throw ProviderFailure. */
export type Provider = ChosenProvider | MintedProvider | RolledProvider;
