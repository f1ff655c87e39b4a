import { countValues, type Reach } from "./report-access.ts";
import { listSecretChanges, type ChangeKind, type SecretChange } from "./report-changes.ts";
import { remarkKinds, type DeepRemark } from "./report-deep.ts";
import type { ReportFacts } from "./report-facts.ts";
import { count, sayReach, sayWho } from "./report-words.ts";
import { shortList } from "./short-list.ts";
import type { Finding } from "../store/finding.ts";
import type { VerifyFinding } from "./verify-history.ts";

/** `blocked`: the change brings errors. `attention`: a person should look at it. */
export type Verdict = "blocked" | "attention" | "fine";

/** Why a verdict is what it is. */
export interface Reason {
  readonly level: "error" | "attention";
  /** A sentence without its full stop. */
  readonly text: string;
}

/** What speaks against a change, most important first; empty when nothing does. */
export function listReasons(report: ReportFacts): Reason[] {
  return [...listErrors(report), ...listAccess(report), ...listExposed(report), ...listSoft(report)];
}

/** The verdict that the reasons come to. */
export function judge(reasons: readonly Reason[]): Verdict {
  if (reasons.some(({ level }) => level === "error")) return "blocked";
  return reasons.length > 0 ? "attention" : "fine";
}

const unclearBase =
  "its history joins the base in more than one place, so what a merge would do cannot be told from one of them: merge the base into the branch once";

function listErrors({ findings, verification, scopes, isBaseClear }: ReportFacts): Reason[] {
  const errors = findings.new.filter(({ severity }) => severity === "error");
  const unreadable = scopes.filter(({ isWhole }) => !isWhole).map(({ scope }) => scope);
  return [
    ...(isBaseClear ? [] : [error(unclearBase)]),
    ...(verification.state === "done" ? refusedReason(countCommits(verification.refused, "error"), "error") : []),
    ...unprovenReason(verification, "error"),
    ...(errors.length === 0 ? [] : [error(`${count(errors.length, "new error")}: ${sayRules(errors)}`)]),
    ...sayCount(
      unreadable.length,
      () => `nobody can say what was added or removed where a file cannot be read: ${shortList(unreadable, 5)}`,
    ),
  ];
}

/** `stale-record (3), policy-version`. */
function sayRules(findings: readonly Finding[]): string {
  const rules = new Map<string, number>();
  for (const { rule } of findings) rules.set(rule, (rules.get(rule) ?? 0) + 1);
  return shortList(
    [...rules].map(([rule, amount]) => (amount === 1 ? rule : `${rule} (${amount})`)),
    6,
  );
}

function countCommits(refused: readonly VerifyFinding[], severity: VerifyFinding["severity"]): number {
  return new Set(refused.filter((finding) => finding.severity === severity).map(({ commit }) => commit)).size;
}

function refusedReason(amount: number, level: Reason["level"]): Reason[] {
  if (amount === 0) return [];
  return [
    {
      level,
      text: `${count(amount, "commit")} ${amount === 1 ? "is" : "are"} refused: unsigned, or by somebody who may not do that`,
    },
  ];
}

/** Where `verify` has no answer that counts. */
function unprovenReason(verification: ReportFacts["verification"], level: Reason["level"]): Reason[] {
  if (verification.state !== "skipped" || verification.level !== level) return [];
  return [{ level, text: `nothing proves who wrote this: ${verification.why}` }];
}

function listAccess({ access }: ReportFacts): Reason[] {
  const gains = access
    .map((change) => ({ change, reach: larger(change.byPolicy?.gained, change.byKeyrings.gained) }))
    .filter(({ reach }) => reach.size > 0);
  if (gains.length > 3) {
    const names = gains.map(({ change }) => change.name);
    return [attention(`${gains.length} readers gain access to values: ${shortList(names, 6)}`)];
  }
  return gains.map(({ change, reach }) => attention(`${sayWho(change)} gains read access to ${sayReach(reach)}`));
}

function larger(a: Reach | undefined, b: Reach): Reach {
  return a !== undefined && countValues(a) >= countValues(b) ? a : b;
}

function listExposed({ access }: ReportFacts): Reason[] {
  return access
    .filter(({ stillKnown, kind }) => kind !== "recovery" && stillKnown.size > 0)
    .map((change) =>
      attention(
        `${sayWho(change)} still knows ${sayReach(change.stillKnown)}; only new values end that: sealtree rotate --exposed-to ${change.name}`,
      ),
    );
}

function listSoft(report: ReportFacts): Reason[] {
  const { verification, policy, rotation, findings } = report;
  const changes = listSecretChanges(report.scopes);
  const policyChanges = policy.filter(({ level }) => level === "attention");
  const weaker = rotation.filter(({ isWeaker }) => isWeaker).length;
  const warnings = findings.new.filter(({ severity }) => severity === "warning");
  const before = findings.remaining.filter(({ severity }) => severity === "error").length;
  return [
    ...(verification.state === "done" && verification.signing !== "off"
      ? refusedReason(countCommits(verification.refused, "warning"), "attention")
      : []),
    ...unprovenReason(verification, "attention"),
    ...sayCount(policyChanges.length, (amount) => {
      const more = amount > 2 ? `; and ${amount - 2} more` : "";
      return `the policy lets somebody do more: ${policyChanges
        .slice(0, 2)
        .map(({ text }) => text)
        .join("; ")}${more}`;
    }),
    ...sayKind(changes, "unreadable", (amount) => `${count(amount, "record")} changed and cannot be read`),
    ...sayKind(
      changes,
      "rolled-back",
      (amount) => `${count(amount, "secret")} ${amount === 1 ? "has" : "have"} an earlier value again`,
    ),
    ...sayCount(
      changes.filter(({ isUnproven }) => isUnproven).length,
      (amount) =>
        `${count(amount, "record")} changed under the same value id and generation; only a reader can tell whether the value stayed: sealtree review --deep`,
    ),
    ...sayKind(changes, "removed", (amount) => `${count(amount, "secret")} ${amount === 1 ? "is" : "are"} removed`),
    ...sayCount(weaker, (amount) => `${count(amount, "rotation rule")} ${amount === 1 ? "asks" : "ask"} for less`),
    ...listRemarks(report),
    ...sayCount(warnings.length, (amount) => `${count(amount, "new warning")}: ${sayRules(warnings)}`),
    ...sayCount(before, (amount) => `${count(amount, "error")} ${amount === 1 ? "was" : "were"} there before`),
  ];
}

const remarkWords = {
  broken: "does not open although it should",
  "same-id": "another value under an id that says it stayed",
  "same-value": "the old value under an id that says it is new",
  reference: "it refers to what is not there, or not for all readers",
  expires: "a certificate or token expires",
  weak: "easily guessed",
  equal: "one value in several places",
} as const satisfies Record<DeepRemark["kind"], string>;

function listRemarks({ deep }: ReportFacts): Reason[] {
  return remarkKinds.flatMap((kind) => {
    const secrets = (deep?.remarks ?? []).filter((remark) => remark.kind === kind).flatMap((remark) => remark.secrets);
    return sayCount(secrets.length, () => `${remarkWords[kind]}: ${shortList(secrets, 3)}`);
  });
}

function sayKind(changes: readonly SecretChange[], kind: ChangeKind, say: (amount: number) => string): Reason[] {
  return sayCount(changes.filter((change) => change.kind === kind).length, say);
}

function sayCount(amount: number, say: (amount: number) => string): Reason[] {
  return amount === 0 ? [] : [attention(say(amount))];
}

function error(text: string): Reason {
  return { level: "error", text };
}

function attention(text: string): Reason {
  return { level: "attention", text };
}
