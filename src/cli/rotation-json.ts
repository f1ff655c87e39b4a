import { isStuck } from "../rotation/flight.ts";
import type { StatusEntry } from "../rotation/status.ts";
import { printAddress } from "../secret/address.ts";

/** The shape of {@link statusJson}, as documentation. */
export const statusJsonShape =
  '{"address", "type"|null, "rotator"|null, "owner"|null, "runbook"|null, "set_at", "age_seconds", "notice_at"|null, "due_at"|null, "ends_at"|null, "jitter_days"|null, "state": "ok"|"notice"|"due"|"overdue"|"no-rule", "flight": {"phase": "in-flight"|"grace"|"unreadable", "started_at"|null, "grace_until"|null, "stuck": boolean}|null}';

/** A secret and its next rotation as `--json` prints it. */
export function statusJson({ address, rule, setAtMs, schedule, state, flight }: StatusEntry, nowMs: number) {
  return {
    address: printAddress(address),
    type: rule?.type ?? null,
    rotator: rule?.rotator ?? null,
    owner: rule?.owner ?? null,
    runbook: rule?.runbook ?? null,
    set_at: printTime(setAtMs),
    age_seconds: Math.floor((nowMs - setAtMs) / 1000),
    notice_at: printTime(schedule?.noticeAtMs),
    due_at: printTime(schedule?.dueAtMs),
    ends_at: printTime(schedule?.endsAtMs),
    jitter_days: schedule?.jitterDays ?? null,
    state,
    flight:
      flight === undefined
        ? null
        : {
            phase: flight.phase,
            started_at: printTime(flight.startedAtMs),
            grace_until: printTime(flight.graceUntilMs),
            stuck: isStuck(flight, nowMs),
          },
  };
}

/** RFC 3339 in UTC. */
export function printTime<T extends number | undefined>(timeMs: T): T extends number ? string : string | null;
export function printTime(timeMs: number | undefined): string | null {
  return timeMs === undefined ? null : new Date(timeMs).toISOString();
}
