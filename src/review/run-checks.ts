import { SealtreeError } from "../errors.ts";
import { compareText } from "../secret/text-order.ts";
import type { Finding } from "../store/finding.ts";
import { accessPolicyPath } from "../store/layout.ts";
import { rules } from "./checks/registry.ts";
import type { ReviewState } from "./state.ts";

/**
 * Everything the checks find, by file, line and rule. Needs no key. Throws E_NOT_INITIALISED
 * for a tree that has nothing of sealtree.
 */
export function runChecks(state: ReviewState): Finding[] {
  if (state.paths.length + state.unsafe.length === 0) {
    throw new SealtreeError("E_NOT_INITIALISED", `no ${accessPolicyPath} in ${state.tree.label}`, {
      hints: ["start with: sealtree init"],
    });
  }
  return sortFindings(rules.flatMap((rule) => rule.check(state)));
}

/** By file, line, rule and message, so that two runs print the same. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) =>
      compareText(a.file, b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      compareText(a.rule, b.rule) ||
      compareText(a.message, b.message),
  );
}
