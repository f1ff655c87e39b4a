import type { RotationResult } from "../rotation/run-rotations.ts";
import { printAddress } from "../secret/address.ts";
import { markdownCode, markdownText } from "./markdown.ts";
import { count } from "./present.ts";
import { describeOutcome, isOpen } from "./report-providers.ts";
import { listNotRotated, listRotated, type RotationReport } from "./report-rotation.ts";

/** What a rotation did and what is left to do, what a person must do first. Holds names and no values. */
export function printRotationMarkdown(report: RotationReport, isDryRun: boolean): string {
  const { scopes, notRotated, unreadable, withoutRule, providers, urgency } = report;
  const results = providers?.results ?? [];
  const [open, done] = [
    results.filter(({ outcome }) => isOpen(outcome)),
    results.filter(({ outcome }) => !isOpen(outcome)),
  ];
  const left = listNotRotated(scopes, notRotated);
  const toDo = [
    ...open.map(describeOpen),
    ...left
      .filter(({ needed }) => needed)
      .map(({ address, reason }) => `${markdownCode(address)}: ${markdownText(reason)}`),
    ...unreadable.map(({ scope, error }) => `${markdownCode(scope)}: ${markdownText(error.message)}`),
  ];
  const rotated = listRotated(scopes).map(({ address, commit }) => {
    const where = commit === null ? "" : ` in ${markdownCode(commit.slice(0, 9))}`;
    return `${markdownCode(address)}${where}`;
  });
  const changed = [...report.dependents].flatMap(([address, names]) =>
    names.map((name) => `${markdownCode(name)} refers to ${markdownCode(address)}`),
  );
  const others = left
    .filter(({ needed }) => !needed)
    .map(({ address, reason }) => `${markdownCode(address)}: ${markdownText(reason)}`);
  const postponed = (providers?.postponed ?? []).map((address) => markdownCode(printAddress(address)));
  const kind = urgency === "emergency" ? "Emergency rotation" : "Rotation";
  return [
    `## ${kind}${isDryRun ? ", a dry run" : ""}`,
    "",
    toDo.length === 0 ? "Nothing is left to do." : `**${count(toDo.length, "secret")} to look at.**`,
    ...section("To do", toDo, "- [ ] "),
    ...section(isDryRun ? "Would get a new value" : "New value", rotated),
    ...section("Secret by secret", done.map(describeDone)),
    ...section("Changes with them", changed),
    ...section("Left for the next run", postponed),
    ...section("Left alone", others),
    ...(withoutRule === 0 ? [] : ["", `${count(withoutRule, "secret")} without a rule.`]),
  ].join("\n");
}

function describeOpen({ address, outcome }: RotationResult): string {
  const [hint] = "hints" in outcome ? outcome.hints : [];
  const next = hint === undefined ? "" : `. ${markdownText(hint)}`;
  return `${markdownText(describeOutcome(outcome, printAddress(address)))}${next}`;
}

function describeDone({ address, outcome }: RotationResult): string {
  return markdownText(describeOutcome(outcome, printAddress(address)));
}

function section(title: string, lines: readonly string[], mark = "- "): string[] {
  return lines.length === 0 ? [] : ["", `### ${title}`, "", ...lines.map((line) => mark + line)];
}
