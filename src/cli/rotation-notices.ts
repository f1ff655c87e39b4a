import { noticeKinds, type Notice, type NoticeKind } from "../rotation/notice.ts";
import type { RotationStatus } from "../rotation/status.ts";
import { printAddress } from "../secret/address.ts";
import { markdownCode, markdownForeign, markdownText } from "./markdown.ts";
import { fitTable, type Column } from "./fit-table.ts";
import type { OutputStream } from "./io.ts";
import { count, relativeTime } from "./present.ts";
import { printTime, statusJson, statusJsonShape } from "./rotation-json.ts";
import { sayFlight, sayNext } from "./rotation-words.ts";

/** What is told, and the run that tells it. */
export interface NoticeReport {
  readonly notices: readonly Notice[];
  readonly unreadable: RotationStatus["unreadable"];
  readonly nowMs: number;
  /** Only what is so since after this time; everything without. */
  readonly afterMs: number | undefined;
  /** The name of the repository's folder, so that a receiver of several can tell them apart. */
  readonly repository: string;
}

/** Most notices of one message: more would not fit what receivers take. */
const maxSent = 100;
/** Most characters of an issue or a comment on GitHub. */
const maxMarkdownChars = 65_536;
const rowLimits = [Infinity, 400, 200, 100, 50, 20] as const;
const titles: Readonly<Record<NoticeKind, string>> = {
  stuck: "Stuck: a rotation that began and does not end",
  overdue: "Overdue",
  due: "Due",
  soon: "Due soon",
  "no-rule": "Without a rule, so never rotated: name them under secrets in policies/rotation.yaml",
};
const icons: Readonly<Record<NoticeKind, string>> = {
  stuck: "⛔",
  overdue: "⛔",
  due: "⚠️",
  soon: "🕒",
  "no-rule": "❔",
};

/** The shape of {@link noticeJson}, as documentation. */
export const noticeJsonShape = `{"repository", "at", "after"|null, "counts": {kind: number}, "notices": [{"id", "kind": "stuck"|"overdue"|"due"|"soon"|"no-rule", "since", "next": text, "secret": ${statusJsonShape}}], "omitted": number, "unreadable": [{"scope", "code"}]}`;

/** The notices as `--json` prints them; of `limit` notices the most urgent, and how many are left out. */
export function noticeJson(report: NoticeReport, limit = Infinity) {
  const { notices, unreadable, nowMs, afterMs, repository } = report;
  return {
    repository,
    at: printTime(nowMs),
    after: printTime(afterMs),
    counts: countKinds(notices),
    notices: notices.slice(0, limit).map(({ id, kind, sinceMs, entry }) => ({
      id,
      kind,
      since: printTime(sinceMs),
      next: sayNext(entry),
      secret: statusJson(entry, nowMs),
    })),
    omitted: Math.max(0, notices.length - limit),
    unreadable: unreadable.map(({ scope, error }) => ({ scope, code: error.code })),
  };
}

/** The notices as a message: type, time and data (Standard Webhooks, "Payload structure"). */
export function noticeMessage(report: NoticeReport): string {
  return JSON.stringify({
    type: "rotation.notice",
    timestamp: printTime(report.nowMs),
    data: noticeJson(report, maxSent),
  });
}

/** A line a notice, under heads: kind, secret, since when, owner, and what to do. */
export function printNoticeLines({ notices, nowMs }: NoticeReport, stream: OutputStream): string[] {
  const columns: readonly Column<Notice>[] = [
    { head: "KIND", cell: ({ kind }) => kind },
    { head: "SECRET", cell: ({ entry }) => printAddress(entry.address) },
    { head: "WHEN", goes: 2, cell: (notice) => sayWhen(notice, nowMs) },
    { head: "OWNER", goes: 1, cell: ({ entry }) => entry.rule?.owner ?? "" },
    { head: "NEXT", goes: 3, cell: ({ entry }) => entry.rule?.runbook ?? sayNext(entry) },
  ];
  return fitTable(columns, notices, stream);
}

/** The notices as Markdown for a job summary or an issue: a list to tick off, the most urgent first. Cut to what an issue takes. */
export function printNoticeMarkdown(report: NoticeReport): string {
  const texts = rowLimits.map((limit) => () => printMarkdown(report, limit));
  for (const print of texts) {
    const text = print();
    if (text.length <= maxMarkdownChars) return text;
  }
  return printMarkdown(report, 5);
}

function printMarkdown({ notices, unreadable, nowMs, afterMs }: NoticeReport, limit: number): string {
  const sections = noticeKinds.flatMap((kind) => {
    const ofKind = notices.filter((notice) => notice.kind === kind);
    if (ofKind.length === 0) return [];
    const more = ofKind.length - limit;
    return [
      "",
      `### ${icons[kind]} ${titles[kind]} (${ofKind.length})`,
      "",
      ...ofKind.slice(0, limit).map((notice) => printItem(notice, nowMs)),
      ...(more > 0 ? ["", `_and ${more} more: \`sealtree rotation notify\` lists all_`] : []),
    ];
  });
  const broken = unreadable.map(({ scope }) => `- ${markdownCode(scope)} cannot be read: \`sealtree check\``);
  const since =
    afterMs === undefined ? "" : `, new since ${new Date(afterMs).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  return [
    "<!-- sealtree rotation notify -->",
    "## Rotation of secrets",
    "",
    notices.length === 0 ? `Nothing to rotate${since}.` : `${sayCounts(notices)}${since}.`,
    ...sections,
    ...(broken.length === 0 ? [] : ["", "### Scopes that cannot be read", "", ...broken]),
    "",
  ].join("\n");
}

function printItem(notice: Notice, nowMs: number): string {
  const { kind, entry } = notice;
  const { rule } = entry;
  const facts = [sayWhen(notice, nowMs), ...(rule === undefined ? [] : [`owner ${rule.owner ?? "nobody"}`])];
  const runbook = rule?.runbook === undefined ? "" : `, runbook ${markdownForeign(rule.runbook)}`;
  const next = kind === "no-rule" ? "" : `; ${markdownCode(sayNext(entry))}`;
  return `- [ ] ${markdownCode(printAddress(entry.address))}: ${markdownText(facts.join(", "))}${runbook}${next}`;
}

/** `2 overdue, 1 due` */
export function sayCounts(notices: readonly Notice[]): string {
  const words = Object.entries(countKinds(notices)).map(([kind, amount]) => `${amount} ${kind}`);
  return `${count(notices.length, "secret")}: ${words.join(", ")}`;
}

function countKinds(notices: readonly Notice[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kind } of notices) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

function sayWhen({ kind, sinceMs, entry }: Notice, nowMs: number): string {
  switch (kind) {
    case "stuck":
      return sayFlight(entry, nowMs) ?? kind;
    case "no-rule":
      return `set ${relativeTime(entry.setAtMs, nowMs)}`;
    case "soon":
      return `due ${relativeTime(entry.dueAtMs ?? sinceMs, nowMs)}`;
    case "due":
    case "overdue":
      return entry.setAtMs > nowMs ? "dated in the future" : `due ${relativeTime(entry.dueAtMs ?? sinceMs, nowMs)}`;
  }
}
