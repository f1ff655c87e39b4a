import { isSealtreeError } from "../errors.ts";
import type { GitPlace } from "../git/place.ts";
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
  | { readonly state: "skipped"; readonly why: string };

/** Judges the commits between two, both full ids, by the policy of the first. A history that cannot be judged is not. */
export async function verifyRange(
  place: GitPlace,
  { base, head, isShallow }: { readonly base: string; readonly head: string; readonly isShallow: boolean },
): Promise<RangeVerification> {
  if (isShallow) return { state: "skipped", why: "this clone is shallow" };
  try {
    const judged = await verifyHistory(place, { from: base, to: head, way: "one step", all: false, strict: false });
    const { commits, signing, findings } = judged;
    return { state: "done", commits, signing, refused: findings };
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    return { state: "skipped", why: error.message };
  }
}
