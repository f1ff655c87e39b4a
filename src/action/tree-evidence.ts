import { sayNext } from "../cli/rotation-words.ts";
import { isSealtreeError } from "../errors.ts";
import { dayMs } from "../rotation/duration.ts";
import { listNotices, type Notice } from "../rotation/notice.ts";
import { rotationStatus } from "../rotation/status.ts";
import { printAddress } from "../secret/address.ts";
import { openWorkTree } from "../store/work-tree.ts";
import type { Job } from "./job.ts";

/** One thing in the tree that a rotation which runs would not have left. */
export interface Evidence {
  /** A secret, a scope, or the policy. */
  readonly what: string;
  /** Since when, in milliseconds; undefined where the tree does not say. */
  readonly sinceMs: number | undefined;
  readonly reason: string;
  /** What to type. */
  readonly next: string;
}

export interface TreeEvidence {
  /** What shows that rotation stands still. */
  readonly late: readonly Evidence[];
  /** Overdue too, but for a person to rotate: no workflow would have done it. */
  readonly byHand: readonly Evidence[];
}

/**
 * What the tree itself says of the rotation of its secrets, without a key and without asking anybody:
 * what a run within the last `maxAgeMs` would have rotated or ended. What cannot be read is evidence too.
 */
export async function findTreeEvidence(
  { place, io }: Pick<Job, "place" | "io">,
  maxAgeMs: number,
): Promise<TreeEvidence> {
  const now = io.now();
  try {
    const { entries, unreadable } = await rotationStatus(openWorkTree(place.root), now);
    const pressing = listNotices(entries, now).filter((notice) => now.getTime() - beginOf(notice) > maxAgeMs);
    const found = pressing.map(({ kind, sinceMs, entry }) => ({
      isManual: kind === "overdue" && entry.rule?.rotator === "manual",
      evidence: {
        what: printAddress(entry.address),
        // The day on which it was due, as `rotation status` and the issue say it, not that on which it became overdue.
        sinceMs: kind === "overdue" ? entry.dueAtMs : sinceMs,
        reason: kind === "stuck" ? "its rotation began and does not end" : "it is overdue",
        next: sayNext(entry),
      },
    }));
    const broken = unreadable.map(({ scope }) => brokenEvidence(scope, "its scope cannot be read"));
    return {
      late: [...found.filter(({ isManual }) => !isManual).map(({ evidence }) => evidence), ...broken],
      byHand: found.filter(({ isManual }) => isManual).map(({ evidence }) => evidence),
    };
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    return { late: [brokenEvidence("the tree", `it cannot be read: ${error.message}`)], byHand: [] };
  }
}

function brokenEvidence(what: string, reason: string): Evidence {
  return { what, sinceMs: undefined, reason, next: "sealtree check" };
}

/** Since when a run would have done something about it; never for what is not overdue or stuck. */
function beginOf({ kind, entry }: Notice): number {
  const never = Number.POSITIVE_INFINITY;
  if (kind === "overdue") return entry.dueAtMs ?? never;
  if (kind !== "stuck") return never;
  // A journal that cannot be read has no time. Any other is called stuck a day after its work was due.
  return entry.flight?.stuckAtMs === undefined ? Number.NEGATIVE_INFINITY : entry.flight.stuckAtMs - dayMs;
}
