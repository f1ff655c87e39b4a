import { errnoOf, isSealtreeError } from "../errors.ts";

/** The three versions of a file; undefined where there is none. */
export interface FileSides {
  readonly base: Uint8Array | undefined;
  readonly ours: Uint8Array | undefined;
  readonly theirs: Uint8Array | undefined;
}

export type Side = "ours" | "theirs";

/** The side to take of something that both changed; undefined leaves it a conflict. */
export type ChooseSide = (name: string) => Side | undefined;

/** Something that both sides changed, each in its own way. */
export interface Clash {
  /** A secret, or an entry of a policy such as `members.bob`. */
  readonly name: string;
  /** Follows the name in a sentence: `was set on both sides`. */
  readonly what: string;
  /** False where the file has no markers for it: what merged does not fit together. */
  readonly hasMarkers: boolean;
}

/** What became of the three versions of a file. */
export type MergedContent =
  /** Undefined text: there is no file any more. */
  | { readonly kind: "merged"; readonly text: string | undefined }
  /** The text holds what merged, and what did not between conflict markers. */
  | { readonly kind: "conflict"; readonly text: string; readonly clashes: readonly Clash[] }
  /** Nothing can be merged: one version must be kept whole. */
  | {
      readonly kind: "unmerged";
      /** By line and never by content. */
      readonly why: string;
      /** What to do once the merge is finished. */
      readonly after?: string;
    };

/** A side that cannot be read or understood; the message says which and why. */
export class UnreadableSide extends Error {}

/** What `read` gives. Throws {@link UnreadableSide} for a failure of ours or of the system. */
export function readSide<T>(side: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const errno = errnoOf(error);
    if (!isSealtreeError(error) && errno === undefined) throw error;
    const why = isSealtreeError(error) ? error.message : `cannot be read (${errno ?? ""})`;
    throw new UnreadableSide(`${side}: ${why}`, { cause: error });
  }
}

/** How the three versions are called in messages. */
export const sideNames = { base: "the common ancestor", ours: "our side", theirs: "their side" } as const;
