import { createHash } from "node:crypto";
import type { ServiceEntry } from "./credential-service.ts";
import type { SetValue } from "./read-history.ts";
import { dayMs, dayOf, dueHour, firstDayMs, type Kind, type PlannedSecret } from "./team-plan.ts";

/** A day on which a secret could not be rotated, and why. */
export interface Excuse {
  readonly day: number;
  readonly kinds: readonly Kind[] | "all";
  readonly why: string;
}

/** A rotation that was asked for before its time. */
export interface Extra {
  readonly day: number;
  readonly scope: string;
}

/** What the issue said after the jobs of a day that all came to their end with GitHub there. */
export interface IssueDay {
  readonly day: number;
  /** What is asked for; undefined for no open issue. */
  readonly asks: readonly string[] | undefined;
}

/** What a simulation left behind, none of it told by the program that is judged. */
export interface Evidence {
  readonly days: number;
  readonly secrets: readonly PlannedSecret[];
  /** The history of main. */
  readonly values: readonly SetValue[];
  /** What the credential service wrote down. */
  readonly service: readonly ServiceEntry[];
  /** Fingerprints of what the service lets in at the end, by account. */
  readonly live: ReadonlyMap<string, readonly string[]>;
  /** Fingerprints of the values of main, and of the targets, at the end, by address. */
  readonly head: ReadonlyMap<string, string>;
  readonly targets: ReadonlyMap<string, string>;
  readonly issue: readonly IssueDay[];
  readonly excuses: readonly Excuse[];
  readonly extras: readonly Extra[];
}

export interface Finding {
  readonly what: "late" | "twice" | "lost" | "refused" | "orphan" | "issue";
  readonly address: string;
  readonly text: string;
}

/** A rotation that was done, with the day on which it was due. */
export interface DoneRotation {
  readonly address: string;
  readonly day: number;
  readonly dueDay: number;
  /** The last day on which it is in time, by what was impossible before. */
  readonly lastDay: number;
  readonly isExtra: boolean;
}

export interface Verdict {
  readonly rotations: readonly DoneRotation[];
  readonly findings: readonly Finding[];
}

/** How long after a rotation the old credential may still be there, in days: the grace, and the run after it. */
const graceDays = 3;
/** How long a run may take between the end of an only key and its successor in all places. */
const outageMs = 30 * 60_000;

/** The day on which a value of `setAtMs` is due: docs/rotation.md, "When a value is due". */
export function dueDayOf({ address, intervalDays }: PlannedSecret, setAtMs: number): number {
  const most = Math.min(7, Math.floor(intervalDays / 10));
  const jitter = createHash("sha256").update(address).digest().readUInt32BE(0) % (most + 1);
  const atMs = dueHour * 3_600_000;
  const endMs = setAtMs + (intervalDays - jitter) * dayMs;
  return dayOf(Math.floor((endMs - atMs) / dayMs) * dayMs + atMs);
}

/** Judges a simulation. */
export function judge(evidence: Evidence): Verdict {
  const rotations: DoneRotation[] = [];
  const findings: Finding[] = [];
  for (const secret of evidence.secrets) {
    const { done, found } = judgeTimes(evidence, secret);
    rotations.push(...done);
    findings.push(
      ...found,
      ...judgeEnd(evidence, secret),
      ...judgeLogins(evidence, secret),
      ...judgeIssue(evidence, secret),
    );
  }
  return { rotations, findings };
}

function judgeTimes(evidence: Evidence, secret: PlannedSecret): { done: DoneRotation[]; found: Finding[] } {
  const { address } = secret;
  const done: DoneRotation[] = [];
  const found: Finding[] = [];
  const values = evidence.values.filter((value) => value.address === address);
  for (const [index, { setAtMs }] of values.entries()) {
    const dueDay = dueDayOf(secret, setAtMs);
    const lastDay = findLastDay(evidence, secret, dueDay);
    const next = values[index + 1];
    if (next === undefined) {
      if (lastDay < evidence.days)
        found.push({ what: "late", address, text: `was due on day ${dueDay} and was not rotated` });
      continue;
    }
    const day = dayOf(next.atMs);
    if (day < 0) continue;
    const isExtra = evidence.extras.some((extra) => extra.scope === secret.scope && extra.day === day);
    done.push({ address, day, dueDay, lastDay, isExtra });
    if (day < dueDay && !isExtra)
      found.push({ what: "twice", address, text: `was due on day ${dueDay} and was rotated on day ${day} already` });
    if (day > lastDay)
      found.push({ what: "late", address, text: `was due on day ${dueDay} and was rotated on day ${day}` });
  }
  if (values.length === 0) found.push({ what: "lost", address, text: "is not in the history" });
  return { done, found };
}

/** The issue asks for what only a person can do from the day on which it is due until it is done, and is open only then. */
function judgeIssue({ issue, values }: Evidence, secret: PlannedSecret): Finding[] {
  if (secret.kind !== "by hand") return [];
  const { address } = secret;
  return issue.flatMap(({ day, asks }): Finding[] => {
    // People are at work after the job of the day.
    const present = values.findLast((value) => value.address === address && dayOf(value.atMs) < day);
    const isDue = present !== undefined && day >= dueDayOf(secret, present.setAtMs);
    if (asks?.length === 0)
      return [{ what: "issue", address, text: `on day ${day} the issue is open without a reason` }];
    if (isDue === (asks?.includes(address) === true)) return [];
    const text = isDue
      ? `was due on day ${day}, and no issue said so`
      : `was not due on day ${day}, and an issue asked`;
    return [{ what: "issue", address, text }];
  });
}

/** The first day from `dueDay` on that nothing excuses; by hand, a person has their days from then. */
function findLastDay({ excuses }: Evidence, { kind, personDays }: PlannedSecret, dueDay: number): number {
  const isExcused = (day: number) =>
    excuses.some((excuse) => excuse.day === day && (excuse.kinds === "all" || excuse.kinds.includes(kind)));
  let day = Math.max(dueDay, 0);
  while (isExcused(day)) day++;
  day += personDays;
  while (isExcused(day)) day++;
  return day;
}

/** Main has what the service lets in, the targets have what main has, and nobody else is let in. */
function judgeEnd(evidence: Evidence, { address, kind, account }: PlannedSecret): Finding[] {
  const found: Finding[] = [];
  const head = evidence.head.get(address);
  if (head === undefined) return [{ what: "lost", address, text: "is not in main" }];
  if (evidence.targets.get(address) !== head)
    found.push({ what: "lost", address, text: "is another in its target than in main" });
  if (kind === "generate") return found;
  const live = evidence.live.get(account) ?? [];
  if (!live.includes(head)) found.push({ what: "lost", address, text: "is not let in with what main has" });
  const last = evidence.values.findLast((value) => value.address === address);
  const isInGrace = last !== undefined && dayOf(last.atMs) > evidence.days - 1 - graceDays;
  const others = live.filter((value) => value !== head);
  if (others.length > (isInGrace ? 1 : 0))
    found.push({ what: "orphan", address, text: `has ${others.length} credentials more than main knows` });
  return found;
}

/** An only key has a moment without; all others have none. */
function judgeLogins({ service }: Evidence, { address, kind, account }: PlannedSecret): Finding[] {
  if (kind === "generate") return [];
  const own = service.filter((entry) => entry.account === account && entry.atMs >= firstDayMs);
  const made = own.filter(({ what }) => what === "made").map(({ atMs }) => atMs);
  return own.flatMap(({ what, atMs }) => {
    if (what !== "refused") return [];
    const isOutage = kind === "one key" && made.some((since) => atMs >= since && atMs - since < outageMs);
    return isOutage ? [] : [{ what: "refused", address, text: `was not let in on day ${dayOf(atMs)}` } as const];
  });
}
