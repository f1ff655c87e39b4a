import { createHash } from "node:crypto";
import { readSealedHeader } from "../crypto/sealed-header.ts";
import { printAddress } from "../secret/address.ts";
import { isFromTheFuture } from "./due.ts";
import { isStuck } from "./flight.ts";
import type { StatusEntry } from "./status.ts";

/**
 * Why somebody should know of a secret, the most urgent first. `stuck`: its rotation began and
 * does not end; `soon`: it is due within the notice of its rule.
 */
export const noticeKinds = ["stuck", "overdue", "due", "soon", "no-rule"] as const;
export type NoticeKind = (typeof noticeKinds)[number];

/** One secret that somebody should know of. */
export interface Notice {
  /**
   * The same in every run for the same value in the same state, and for no other: 32 hex digits.
   * Who was told of it once need not be told again.
   */
  readonly id: string;
  readonly kind: NoticeKind;
  readonly entry: StatusEntry;
  /** Since when it is so, in milliseconds since 1970. Without a rule: since the value was set. */
  readonly sinceMs: number;
}

/**
 * What of `entries` somebody should know of at `now`, one notice a secret, the most urgent kind
 * and then the oldest first. With `afterMs` only what is so since a time after it (and not
 * later than now), so that runs whose times follow each other tell everything once.
 */
export function listNotices(entries: readonly StatusEntry[], now: Date, afterMs?: number): Notice[] {
  const nowMs = now.getTime();
  return entries
    .flatMap((entry): Notice[] => {
      const found = findNotice(entry, nowMs);
      return found === undefined ? [] : [{ ...found, entry, id: nameNotice(entry, found.kind) }];
    })
    .filter(({ sinceMs }) => afterMs === undefined || sinceMs > afterMs)
    .sort((a, b) => noticeKinds.indexOf(a.kind) - noticeKinds.indexOf(b.kind) || a.sinceMs - b.sinceMs);
}

/** True for what needs somebody now: a secret that is due or overdue, or whose rotation is stuck. */
export function isPressing({ kind }: Notice): boolean {
  return kind === "stuck" || kind === "overdue" || kind === "due";
}

function findNotice(entry: StatusEntry, nowMs: number): Pick<Notice, "kind" | "sinceMs"> | undefined {
  const { schedule, setAtMs, state, flight } = entry;
  if (flight !== undefined && isStuck(flight, nowMs)) return { kind: "stuck", sinceMs: flight.stuckAtMs ?? nowMs };
  if (state === "no-rule") return { kind: "no-rule", sinceMs: Math.min(setAtMs, nowMs) };
  if (schedule === undefined || state === "ok") return undefined;
  if (isFromTheFuture(setAtMs, nowMs)) return { kind: "due", sinceMs: nowMs };
  if (state === "overdue") return { kind: "overdue", sinceMs: schedule.overdueAtMs };
  return state === "due" ? { kind: "due", sinceMs: schedule.dueAtMs } : { kind: "soon", sinceMs: schedule.noticeAtMs };
}

function nameNotice({ address, record, flight }: StatusEntry, kind: NoticeKind): string {
  const { valueId } = readSealedHeader(record);
  const parts = [kind, printAddress(address), valueId, ...(kind === "stuck" ? [String(flight?.startedAtMs)] : [])];
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 32);
}
