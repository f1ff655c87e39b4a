import type { ZodType } from "zod";
import type { ProviderFailure } from "../../net/provider-failure.ts";
import type { Secret } from "../../secret/secret.ts";
import type { SecretName } from "../../secret/address.ts";
import type { SecretReference } from "../../services/secret-reference.ts";
import type { ServiceAccess } from "../../services/service-access.ts";

/** A kind of place that values are deployed to. */
export interface Target<Options> {
  /** What it is, in a few words. */
  readonly describe: string;
  /** Checks what a target's entry in the policy says beside the fields that all have; an issue never repeats a field's content. */
  readonly options: ZodType<Options>;
  facts(options: Options): TargetFacts;
  /** References to credentials in `options`, such as an access token. */
  references(options: Options): readonly SecretReference[];
  /** Where it is, for people and for receipts: `acme/api, environment production`. The same place has the same words. */
  place(options: Options): string;
  /** The name of a secret there, before the policy's own names and prefix. */
  toName(name: SecretName, options: Options): string;
  /** Connects. Throws ProviderFailure. */
  open(options: Options, access: ServiceAccess): Promise<OpenTarget>;
}

/** What holds at a target, checked before anything is sent there. */
export interface TargetFacts {
  /** Whether values can be read back. Without, what is there may be known by marks and times only. */
  readonly readsBack: boolean;
  /** Whether a {@link Mark} is kept with each item. Without, the receipt says what is ours. */
  readonly keepsMarks: boolean;
  /** Whether the mark of a new item is left in a call after that of its value, so that a run may be cut off between. */
  readonly marksLater?: boolean;
  readonly hasVersions: boolean;
  /** Whether a write is refused when the item changed since it was looked at. */
  readonly comparesAndSwaps: boolean;
  /**
   * Whether the target keeps late writers out by {@link Change.sequence}. Then `apply` is called also
   * when there is nothing to write, so that it can note how far the target is.
   */
  readonly ordersWriters?: true;
  readonly nameRule: NameRule;
  /** What a value must look like, beside its length; undefined for anything. */
  readonly valueRule?: ValueRule;
  /** Longest value, in bytes as they are sent. */
  readonly maxValueBytes: number;
  /** All values and names together, in bytes; undefined for no limit of its own. */
  readonly maxTotalBytes?: number;
  readonly maxItems?: number;
  /** Whether bytes that are no text can be held. */
  readonly holdsBinary: boolean;
  /** What a write restarts or begins, as a sentence for people; undefined for nothing. */
  readonly restarts?: string;
  /** What must be done besides until programs have the new value, as a sentence; undefined for nothing. */
  readonly needsAfterwards?: string;
}

export interface ValueRule {
  accepts(value: Secret): boolean;
  /** The rule in words, after `must be`: `one line of 8 characters or more`. */
  readonly says: string;
}

export interface NameRule {
  readonly pattern: RegExp;
  /** The rule in words: `A-Z, 0-9 and _, not beginning with a digit or GITHUB_`. */
  readonly says: string;
  readonly maxLength: number;
  /** Whether two names that differ in case are one name there. */
  readonly ignoresCase: boolean;
}

/** What is left beside a value. No secret: a value id is random and says nothing of its value. */
export interface Mark {
  /** The secret, as `scope/NAME`. */
  readonly address: string;
  /** Which value of it, 16 hex digits. */
  readonly fingerprint: string;
}

/** What is at a target under one name. */
export interface Found {
  readonly name: string;
  /** What sealtree left with it; undefined when it left nothing, or the target keeps no marks. */
  readonly mark?: Mark | undefined;
  /** The present value, where it can be read. */
  readonly value?: Secret | undefined;
  /** When it last changed there, in milliseconds since 1970, where the target says. */
  readonly changedAtMs?: number | undefined;
  /** What a compare-and-swap needs, in the target's own terms. */
  readonly revision?: string | undefined;
  /** Why nothing can be written now, such as a deletion that is not over; undefined where something can. */
  readonly blocked?: string | undefined;
}

/** One value that is to be written. */
export interface Item {
  readonly name: string;
  readonly value: Secret;
  readonly mark: Mark;
  /** What was there; undefined when nothing was. */
  readonly found: Found | undefined;
}

export interface Change {
  readonly writes: readonly Item[];
  /** What is there, is ours, and is to go. */
  readonly removes: readonly Found[];
  /** Every item that the target shall have in the end, those that stay as they are too: for a target that is written as a whole. */
  readonly wanted: readonly Item[];
  /**
   * The number of the commit that is deployed (`commitNumber` in src/git/commit-number.ts): greater
   * than that of every commit before it. Always there for a target that orders writers by it.
   */
  readonly sequence?: number | undefined;
}

/** Told item by item what became of a change. */
export interface Progress {
  /** The target acknowledged it. */
  done(name: string): void;
  /** The target will not take this one; the others may go on. */
  failed(name: string, failure: ProviderFailure): void;
}

/** A target that is connected. */
export interface OpenTarget {
  /**
   * What is there now of `names`, and whatever else there has our mark. Changes nothing. Looks on
   * the way whether values can be written, where the target can tell. Throws ProviderFailure.
   */
  inspect(names: readonly string[]): Promise<readonly Found[]>;
  /**
   * Makes the change in as few calls as the target takes, and leaves everything else there as it
   * is: other items, and what others wrote beside ours. Repeating a change that was made does no
   * harm. Throws ProviderFailure when it cannot go on; what was told to `progress` before is done,
   * the rest is not known, and the caller inspects again.
   */
  apply(change: Change, progress: Progress): Promise<void>;
  close(): Promise<void>;
}
