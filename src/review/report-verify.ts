import { hasCode, isSealtreeError } from "../errors.ts";
import type { GitPlace } from "../git/place.ts";
import { findCloneRefusals } from "./verify-clone.ts";
import { verifyHistory, type VerifyFinding } from "./verify-history.ts";

/** What `verify` says of the commits of a change, or why it was not asked. */
export type RangeVerification =
  | {
      readonly state: "done";
      /** How many commits were judged. */
      readonly commits: number;
      /** What the policy of the base asks for. */
      readonly signing: "off" | "warn" | "require";
      readonly refused: readonly VerifyFinding[];
    }
  | {
      readonly state: "skipped";
      /** Goes on in a sentence. */
      readonly why: string;
      /** What it means for the change: `verify` refuses such a clone and such objects. None where there was no policy yet. */
      readonly level: "error" | "attention" | undefined;
    };

/**
 * Judges the commits between two, both full ids, by the policy of the first. In a clone that hides
 * a part of its history, or shows another, nothing is judged: what it would say proves nothing.
 */
export async function verifyRange(
  place: GitPlace,
  { base, head }: { readonly base: string; readonly head: string },
): Promise<RangeVerification> {
  try {
    const flaws = await findCloneRefusals(place);
    if (flaws.length > 0) {
      const why = flaws.map(({ message, hint }) => `${message} (${hint})`).join("; ");
      return { state: "skipped", why, level: "error" };
    }
    const judged = await verifyHistory(place, { from: base, to: head, way: "one step", all: false, strict: false });
    const { commits, signing, findings } = judged;
    return { state: "done", commits, signing, refused: findings };
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    // A policy that cannot be used is mended by a change like this one, and one that is not there is made by it.
    const level = hasCode(error, "E_NOT_INITIALISED")
      ? undefined
      : hasCode(error, "E_POLICY_INVALID")
        ? "attention"
        : "error";
    return { state: "skipped", why: error.message, level };
  }
}
