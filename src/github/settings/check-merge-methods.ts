import type { Asked } from "./ask.ts";
import { findUntold } from "./ask.ts";
import type { BranchRules } from "./branch-rules.ts";
import { settingMissing, settingOk, settingUnknown, type SettingFinding } from "./finding.ts";
import type { Inspection } from "./inspection.ts";

const rule = "branch-merge-methods";

/**
 * Whether merge commits are the only way to merge. A squash and a rebase make commits that no member
 * signed, so this is an error where the policy requires signatures (docs/signed-history.md).
 */
export function checkMergeMethods(
  { facts, wants, place }: Inspection,
  sources: readonly Asked<BranchRules>[],
): SettingFinding {
  const severity = wants.signing === "require" ? "error" : "warning";
  const known = sources.flatMap((source) => (source.kind === "is" ? [source.value] : []));
  const hint = place
    .api("", "--method PATCH -F allow_merge_commit=true -F allow_squash_merge=false -F allow_rebase_merge=false")
    .replace(/\/$/, "");
  const missing = (message: string, next = hint) => settingMissing(rule, message, next, severity);
  if (known.some(({ needsLinearHistory }) => needsLinearHistory)) {
    const where = `take out "Require linear history": ${place.page("settings/rules")}`;
    return missing("a linear history is required, which forbids merge commits", where);
  }
  const own = {
    merge: facts.allow_merge_commit,
    squash: facts.allow_squash_merge,
    rebase: facts.allow_rebase_merge,
  };
  /** Whether a way is open; undefined when it is not known. */
  const isOpen = (method: keyof typeof own): boolean | undefined => {
    if (known.some(({ mergeMethods }) => mergeMethods?.includes(method) === false)) return false;
    return own[method];
  };
  if (isOpen("merge") === false) return missing("merge commits are not allowed, and are what keeps signatures");
  const open = (["squash", "rebase"] as const).filter((method) => isOpen(method) === true);
  if (open.length > 0) {
    return missing(`${open.join(" and ")} merging is allowed, which takes the members' signatures away`);
  }
  if ((["merge", "squash", "rebase"] as const).some((method) => isOpen(method) === undefined)) {
    const isRuleHidden = findUntold(sources) !== undefined;
    const right = isRuleHidden ? "Contents: write and Administration: read" : "Contents: write";
    const see = `a fine-grained token for this repository with ${right}, or a rule that allows merge alone`;
    return settingUnknown(rule, "not known: the token may not see how pull requests are merged", see, severity);
  }
  return settingOk(rule, "merge commits are the only way to merge");
}
