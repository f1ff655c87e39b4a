import type { Report } from "../review/report.ts";
import type { Finding } from "../store/finding.ts";
import { count } from "./present.ts";
import type { Cell, Section, Span } from "./review-page.ts";

const openFindings = 5;

/** What is wrong since the change. */
export function listErrorSection({ findings }: Report): Section[] {
  const errors = findings.new.filter(({ severity }) => severity === "error");
  return findingTable("New errors", errors, false);
}

/** What else the checks find and did not, and what they do not find any more. */
export function listFindingSections({ findings, overdue, stale }: Report): Section[] {
  const others = findings.new.filter(({ severity }) => severity !== "error");
  const state = [
    ...(findings.fixed.length === 0 ? [] : [`${count(findings.fixed.length, "finding")} fixed`]),
    ...(stale === 0 ? [] : [`${count(stale, "secret")} stale`]),
    ...(overdue === 0 ? [] : [`${count(overdue, "secret")} overdue for rotation`]),
  ];
  return [
    ...findingTable("New warnings", others, others.length > openFindings),
    ...(state.length === 0 ? [] : [{ title: "How it stands", isFolded: false, lead: [`${state.join(", ")}.`] }]),
    ...findingTable("Findings that were there before", findings.remaining, true),
  ];
}

function findingTable(title: string, findings: readonly Finding[], isFolded: boolean): Section[] {
  if (findings.length === 0) return [];
  const rows = findings.map(({ rule, file, line, message }): Cell[] => [
    [{ code: rule }],
    [{ from: file }, ...(line === undefined ? [] : [`, line ${line}`])],
    [message],
  ]);
  return [{ title: `${title}: ${findings.length}`, isFolded, table: { head: ["rule", "where", "what"], rows } }];
}

/** What only a reader could see. */
export function listDeepSection({ deep }: Report): Section[] {
  if (deep === undefined) return [];
  const opened = `Opened ${count(deep.opened, "value")}${deep.closed === 0 ? "" : `; ${deep.closed} are for others`}.`;
  if (deep.remarks.length === 0)
    return [{ title: "Seen with a key", isFolded: false, lead: [`${opened} Nothing odd.`] }];
  const rows = deep.remarks.map(({ secrets, text }): Cell[] => [
    secrets.flatMap((address, index): Span[] => [...(index === 0 ? [] : [", "]), { code: address }]),
    [text],
  ]);
  return [{ title: "Seen with a key", isFolded: false, lead: [opened], table: { head: ["secret", "what"], rows } }];
}

/** What `verify` says of the commits. */
export function listSignatureSection({ verification }: Report): Section[] {
  if (verification.state === "skipped") {
    const lead: Cell = ["Not verified: ", verification.why, ". ", { code: "sealtree verify" }];
    return [{ title: "Signatures", isFolded: false, lead }];
  }
  const { refused, commits, signing } = verification;
  if (refused.length === 0) {
    const lead =
      commits === 0 ? "There are no commits." : `${count(commits, "commit")} verified by the policy of the base.`;
    return [{ title: "Signatures", isFolded: false, lead: [lead] }];
  }
  const isOff = signing === "off" && refused.every(({ severity }) => severity === "warning");
  const title = isOff ? "Signatures: the policy asks for none" : `Signatures: ${count(refused.length, "refusal")}`;
  const lead = `Of ${count(commits, "commit")}, by the policy of the base.`;
  const rows = refused.map(({ commit, subject, rule, message }): Cell[] => [
    commit === undefined ? ["the clone"] : [{ code: commit.slice(0, 9) }, " ", { from: subject }],
    [{ code: rule }],
    [message],
  ]);
  return [{ title, isFolded: isOff, lead: [lead], table: { head: ["commit", "rule", "why"], rows } }];
}

/** The commits that touch secrets or policies, newest first. */
export function listCommitSection({ commits }: Report): Section[] {
  if (commits.length === 0) return [];
  const rows = commits
    .toReversed()
    .map(({ commit, author, at, trailer, subject }): Cell[] => [
      [{ code: commit.slice(0, 9) }],
      [{ from: author.name }],
      [at.slice(0, 10)],
      [{ from: trailer ?? "" }],
      [{ from: subject }],
    ]);
  const head = ["commit", "author", "date", "reason", "subject"];
  return [{ title: `Commits: ${commits.length}`, isFolded: true, table: { head, rows } }];
}
