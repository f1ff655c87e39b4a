import { markdownCode, markdownForeign, markdownText } from "../cli/markdown.ts";
import { printMinute, sayNext } from "../cli/rotation-words.ts";
import { isPressing, listNotices, type Notice } from "../rotation/notice.ts";
import type { RotationStatus, StatusEntry } from "../rotation/status.ts";
import { printAddress } from "../secret/address.ts";
import type { People } from "./policy-people.ts";

/** Something that a run could not do. */
export interface RunFailure {
  /** A secret, a scope, a target or the run. */
  readonly what: string;
  readonly reason: string;
}

/** One thing that somebody has to do. */
export interface ManualItem {
  /** What it is of, and what it is found again by: each has one item. */
  readonly what: string;
  /** Markdown, which stays the same until something changes. */
  readonly text: string;
  /** The login of who it is for; undefined when the policy names nobody who has one. */
  readonly login: string | undefined;
}

/** What is known after a run. */
export interface RunView {
  /** Of the tree as the run left it. */
  readonly status: Pick<RotationStatus, "entries" | "unreadable">;
  readonly failures: readonly RunFailure[];
  /** False when the run ended early or the tree cannot be read: then nothing is known to be done. */
  readonly isComplete: boolean;
  readonly now: Date;
}

/** So that the issue fits what GitHub takes. */
const maxItems = 80;
const maxDone = 40;

/**
 * What people have to do, the most urgent first: secrets that are due and that no program rotates,
 * rotations that are stuck, what the run could not do, and what of `before`, the names of an earlier
 * list, is not known to be done. A secret without a rule is none: nobody said that it is to be rotated.
 */
export function listManualItems(view: RunView, people: People, before: Iterable<string> = []): ManualItem[] {
  const { status, failures, isComplete, now } = view;
  const entries = new Map(status.entries.map((entry) => [printAddress(entry.address), entry]));
  const notices = listNotices(status.entries, now).filter(isPressing);
  const due = new Set(notices.map(({ entry }) => entry));
  const items = new Map<string, ManualItem>();
  const add = (what: string, reason: string, next: string) => {
    if (!items.has(what)) items.set(what, { what, ...describe(reason, entries.get(what), next, people) });
  };
  const nextOf = (what: string) => {
    const entry = entries.get(what);
    return entry === undefined ? "sealtree rotate --due" : sayNext(entry);
  };
  for (const notice of notices.filter(isByHand)) {
    add(printAddress(notice.entry.address), sayNotice(notice), sayNext(notice.entry));
  }
  for (const { scope } of status.unreadable) add(scope, "the scope cannot be read", "sealtree check");
  for (const { what, reason } of failures) add(what, reason, nextOf(what));
  for (const what of before) {
    const entry = entries.get(what);
    const isHidden = status.unreadable.some(({ scope }) => what.startsWith(`${scope}/`));
    if (entry !== undefined && due.has(entry)) add(what, "still due", nextOf(what));
    else if (!isComplete || isHidden)
      add(what, "not known to be done, since the last run could not look", nextOf(what));
  }
  return [...items.values()];
}

/** True when a run failed at secrets alone that their rule leaves to people. */
export function isForPeople({ status, failures, isComplete }: RunView): boolean {
  const manual = new Set(
    status.entries.flatMap(({ address, rule }) => (rule?.rotator === "manual" ? [printAddress(address)] : [])),
  );
  return isComplete && status.unreadable.length === 0 && failures.every(({ what }) => manual.has(what));
}

function isByHand({ kind, entry }: Notice): boolean {
  return kind === "stuck" || entry.rule?.rotator === "manual";
}

/** Since when, and not how long ago: the words must not change from day to day. */
function sayNotice({ kind, sinceMs, entry }: Notice): string {
  if (kind === "stuck") {
    const { startedAtMs } = entry.flight ?? {};
    if (entry.flight?.phase === "unreadable") return "the journal of its rotation cannot be read";
    return `its rotation does not end${startedAtMs === undefined ? "" : `, begun ${printMinute(startedAtMs)} UTC`}`;
  }
  // What is dated in the future is due now, whenever that is.
  if (entry.schedule === undefined || entry.schedule.dueAtMs > sinceMs) return kind;
  return `${kind}, since ${printMinute(entry.schedule.dueAtMs)} UTC`;
}

function describe(reason: string, entry: StatusEntry | undefined, next: string, people: People) {
  const { owner, runbook } = entry?.rule ?? {};
  const login = owner === undefined ? undefined : people.loginOf(owner);
  // The only mention there is: its letters are those of the policy's own field, which its schema checked.
  const who = login !== undefined && /^[A-Za-z0-9][A-Za-z0-9-]{0,38}$/.test(login) ? [`@${login}`] : [];
  const facts = [
    markdownForeign(reason),
    ...(owner === undefined ? [] : [[`owner ${markdownText(owner)}`, ...who].join(" ")]),
    ...(runbook === undefined ? [] : [`runbook ${markdownForeign(runbook)}`]),
  ];
  return { text: `${facts.join(", ")}; ${markdownCode(next)}`, login: who.length === 0 ? undefined : login };
}

/**
 * The list to tick off. What `before` names, an earlier list, and is no longer to be done, is ticked, with
 * the day on which that was seen.
 */
export function printManualList(items: readonly ManualItem[], before: EarlierList, today: string): string {
  const open = new Set(items.map(({ what }) => what));
  const done = [...before].filter(([what]) => !open.has(what)).slice(0, maxDone);
  const more = items.length - maxItems;
  return [
    "These secrets need somebody. The next run of the rotation ticks off what was done, whoever did it, and closes",
    "this issue when nothing is left; a tick that you set yourself changes nothing.",
    "",
    ...items.slice(0, maxItems).map(({ what, text }) => `- [ ] ${markdownCode(what)}: ${text}`),
    ...(more > 0 ? ["", `_and ${more} more: \`sealtree rotation notify\` lists all_`, ""] : []),
    ...done.map(([what, day]) => `- [x] ${markdownCode(what)}: done, seen ${day ?? today}`),
  ].join("\n");
}

/** What a list names, with the day on which it was seen to be done; undefined for what was open. */
export type EarlierList = ReadonlyMap<string, string | undefined>;

/** Reads a list. Of the body only names and days are taken, since others may have written in it. */
export function readManualList(body: string): EarlierList {
  const found = new Map<string, string | undefined>();
  for (const [, what = "", rest = ""] of body.matchAll(
    /^- \[[ xX]\] `([a-z0-9][A-Za-z0-9._/ -]{0,199})`: (.*?)\r?$/gm,
  )) {
    found.set(what, /^done, seen (\d{4}-\d\d-\d\d)$/.exec(rest)?.[1]);
  }
  return found;
}
