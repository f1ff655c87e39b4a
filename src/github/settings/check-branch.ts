import { findingOfUntold, findUntold, type Asked } from "./ask.ts";
import { checkBypass } from "./check-bypass.ts";
import { checkMergeMethods } from "./check-merge-methods.ts";
import {
  askActiveRules,
  askClassicProtection,
  combineRules,
  type BranchRules,
  type ClassicProtection,
} from "./branch-rules.ts";
import { settingMissing, settingOk, type SettingFinding } from "./finding.ts";
import type { Inspection } from "./inspection.ts";
import type { SettingRule, SettingSeverity } from "./rules.ts";

/** Something that a branch must ask for, from wherever it comes. */
interface Demand {
  readonly rule: SettingRule;
  readonly isMet: (rules: BranchRules) => boolean;
  readonly ok: string;
  readonly missing: string;
  readonly severity?: SettingSeverity;
}

/**
 * What holds for the default branch, by rulesets or by classic protection: a demand is met when one
 * of the two asks for it, and not known when none does and one of them cannot be seen.
 */
export async function checkBranch(inspection: Inspection): Promise<SettingFinding[]> {
  const { repository, facts, place } = inspection;
  const branch = facts.default_branch;
  const active = await askActiveRules(repository, branch);
  const rules: Asked<BranchRules> = active.kind === "is" ? { kind: "is", value: combineRules(active.value) } : active;
  const demands = demandsOf(inspection);
  const isEnough = rules.kind === "is" && demands.every((demand) => demand.isMet(rules.value));
  const classic: Asked<ClassicProtection> = isEnough
    ? { kind: "none" }
    : await askClassicProtection(repository, branch);
  const sources = [rules, classic.kind === "is" ? { kind: "is" as const, value: classic.value.rules } : classic];
  const hint = `${place.page("settings/rules")}; docs/github-settings.md has the ruleset as one command`;
  const findings = demands.map((demand) => judge(demand, sources, hint));
  const lacksChecks = findings.some(({ rule, state }) => rule === "branch-checks" && state === "missing");
  return [
    // Who may report a check that nobody asks for is no question.
    ...findings.filter(({ rule }) => !(lacksChecks && rule === "branch-check-source")),
    checkMergeMethods(inspection, sources),
    await checkBypass(inspection, active, classic),
  ];
}

function judge(
  { rule, isMet, ok, missing, severity }: Demand,
  sources: readonly Asked<BranchRules>[],
  hint: string,
): SettingFinding {
  if (sources.some((source) => source.kind === "is" && isMet(source.value))) return settingOk(rule, ok);
  const hidden = findUntold(sources);
  if (hidden !== undefined) {
    const finding = findingOfUntold(rule, hidden, severity);
    if (sources[0]?.kind !== "is") return finding;
    return { ...finding, message: `no ruleset asks for it, and of classic protection it is ${finding.message}` };
  }
  return settingMissing(rule, missing, hint, severity);
}

function demandsOf({ wants, place, facts }: Inspection): Demand[] {
  const branch = facts.default_branch;
  const contextsOf = (rules: BranchRules) => new Set(rules.checks.map(({ context }) => context));
  const isOfActions = (app: number | undefined) =>
    place.actionsApp === undefined ? app !== undefined : app === place.actionsApp;
  const names = wants.checks.join(", ");
  const demands: Demand[] = [
    {
      rule: "branch-pull-request",
      isMet: ({ pullRequest }) => pullRequest !== undefined && pullRequest.approvals > 0,
      ok: "changes need a pull request with an approval",
      missing: `changes of ${branch} need no pull request with an approval`,
    },
    {
      rule: "branch-code-owners",
      isMet: ({ pullRequest }) => pullRequest?.codeOwners === true,
      ok: "a code owner approves",
      missing: "no code owner has to approve: anybody who may write approves a change of the policy",
    },
    {
      rule: "branch-stale-reviews",
      isMet: ({ pullRequest }) => pullRequest !== undefined && pullRequest.dismissesStale && pullRequest.lastPush,
      ok: "what is pushed after an approval is approved again, by somebody else",
      missing: "what is pushed after an approval need not be approved again by somebody else",
    },
    {
      rule: "branch-force-push",
      isMet: (rules) => rules.blocksForcePush,
      ok: "force pushes are blocked",
      missing: `commits can be taken off ${branch} by a force push`,
    },
    {
      rule: "branch-deletion",
      isMet: (rules) => rules.blocksDeletion,
      ok: "deletion is blocked",
      missing: `${branch} can be deleted, and pushed again with another history`,
    },
  ];
  if (wants.checks.length > 0) {
    demands.push(
      {
        rule: "branch-checks",
        isMet: (rules) => wants.checks.every((it) => contextsOf(rules).has(it)),
        ok: `required before merging: ${names}`,
        missing: `not all of these checks are required before merging: ${names}`,
      },
      {
        rule: "branch-check-source",
        isMet: (rules) =>
          rules.isUpToDate &&
          wants.checks.every((it) => rules.checks.some(({ context, app }) => context === it && isOfActions(app))),
        ok: "required checks come from GitHub Actions, for the newest state of the branch",
        missing: "a required check can be reported by anybody who may write, or for an older state of the branch",
      },
    );
  }
  if (wants.signing === "require") {
    demands.push({
      rule: "branch-signatures",
      isMet: (rules) => rules.needsSignatures,
      ok: "commits must be signed, as the policy requires",
      missing: "the policy requires signatures, and the branch takes commits without one",
    });
  }
  return demands;
}
