import { z } from "zod";
import { mapLimit } from "../../services/map-limit.ts";
import { askSetting, askSettings, findingOfUntold, findUntold, isUntold, type Asked } from "./ask.ts";
import {
  askActiveRules,
  askClassicProtection,
  combineRules,
  type BranchRules,
  type ClassicProtection,
} from "./branch-rules.ts";
import { settingMissing, settingOk, settingUnknown, type SettingFinding } from "./finding.ts";
import type { Inspection } from "./inspection.ts";
import type { WantedRotation } from "./wants.ts";

const rule = "rotation-branch";
const right = "Metadata: read";
const rulesets = z.array(z.object({ id: z.int(), target: z.string().optional(), enforcement: z.string() }));
const ruleset = z.object({
  rules: z
    .array(
      z.object({
        type: z.string(),
        parameters: z
          .object({
            restricted_file_paths: z.array(z.string()).optional(),
            restricted_file_extensions: z.array(z.string()).optional(),
            max_file_path_length: z.int().optional(),
          })
          .optional(),
      }),
    )
    .optional(),
  bypass_actors: z.array(z.object({ actor_type: z.string() })).optional(),
});
type Ruleset = z.infer<typeof ruleset>;

/**
 * Whether rotation can push. It records under refs/sealtree/ too, for which no rule of branches or tags
 * can hold; rules for pushes hold for every ref.
 */
export async function checkRotation(inspection: Inspection): Promise<SettingFinding[]> {
  const { rotation } = inspection.wants;
  if (rotation === undefined) return [];
  const findings = [await checkPush(inspection, rotation), await checkPushRules(inspection)];
  const bad = findings.filter(({ state }) => state !== "ok");
  return bad.length > 0 ? bad : findings.slice(0, 1);
}

async function checkPush(inspection: Inspection, { branch, usesJobToken }: WantedRotation): Promise<SettingFinding> {
  const { repository, facts, place } = inspection;
  const target = branch ?? facts.default_branch;
  const active = await askActiveRules(repository, target);
  // The branch for a pull request is made anew each time, so that it has no protection of its own.
  const classic: Asked<ClassicProtection> =
    branch === undefined ? await askClassicProtection(repository, target) : { kind: "none" };
  const ofRulesets = active.kind === "is" ? locksOf(combineRules(active.value)) : [];
  const ofClassic = classic.kind === "is" && classic.value.allowances === 0 ? locksOf(classic.value.rules) : [];
  const locks = [...new Set([...ofRulesets, ...ofClassic])];
  if (locks.length === 0) {
    const hidden = findUntold([active, classic]);
    if (hidden !== undefined) return findingOfUntold(rule, hidden);
    return settingOk(rule, `no rule keeps rotation from pushing to ${target}`);
  }
  const page = place.page("settings/rules");
  const said = locks.join(", ");
  if (branch !== undefined) {
    const leaveOut = `leave that branch out of the ruleset: ${page}`;
    return settingMissing(rule, `rotation cannot push to ${target}: ${said}`, leaveOut);
  }
  const choose = usesJobToken
    ? "sealtree github-setup --pull-request, or --app with a GitHub App in the bypass list"
    : `sealtree github-setup --pull-request, or the App in the bypass list: ${page}`;
  const message = `rotation pushes to ${target}, which refuses that: ${said}`;
  if (ofClassic.length > 0 || active.kind !== "is") return settingMissing(rule, message, choose);
  const machines = await askMachines(inspection, [...new Set(active.value.flatMap((it) => it.ruleset_id ?? []))]);
  if (isUntold(machines)) return settingUnknown(rule, `${message}; whether a machine may pass by is not known`, choose);
  return machines.kind === "is" && machines.value
    ? settingOk(rule, `a machine may pass by the rules of ${target} to push what was rotated`)
    : settingMissing(rule, message, choose);
}

function locksOf({ pullRequest, checks, needsSignatures, otherLocks }: BranchRules): string[] {
  return [
    ...(pullRequest === undefined ? [] : ["a pull request is required"]),
    ...(checks.length === 0 ? [] : ["checks are required"]),
    ...(needsSignatures ? ["GitHub must know the signature of each commit"] : []),
    ...otherLocks.map((it) => `only some may pass the rule ${it}`),
  ];
}

/** Whether an app or a deploy key may pass by each of these rulesets. */
async function askMachines({ repository }: Inspection, ids: readonly number[]): Promise<Asked<boolean>> {
  const asked = await mapLimit(ids, 4, async (id) => await askRuleset(repository, id));
  const hidden = findUntold(asked);
  if (hidden !== undefined) return hidden;
  const all = asked.flatMap((it) => (it.kind === "is" ? [it.value.bypass_actors] : []));
  if (all.some((actors) => actors === undefined)) return { kind: "hidden", right: "Administration: write" };
  const isMachine = ({ actor_type: type }: { actor_type: string }) => type === "Integration" || type === "DeployKey";
  return { kind: "is", value: all.every((actors) => actors?.some(isMachine) === true) };
}

async function askRuleset(repository: Inspection["repository"], id: number): Promise<Asked<Ruleset>> {
  return await askSetting(repository, { path: ["rulesets", String(id)], schema: ruleset, right });
}

/** Rules for pushes that would refuse our files. */
async function checkPushRules({ repository, place }: Inspection): Promise<SettingFinding> {
  const asked = await askSettings(
    repository,
    { path: ["rulesets"], query: { targets: "push" }, schema: rulesets, right },
    (page) => page,
  );
  if (asked.kind !== "is")
    return isUntold(asked) ? findingOfUntold(rule, asked, "warning") : settingOk(rule, "no rule for pushes");
  const ids = asked.value.filter((it) => it.target === "push" && it.enforcement === "active").map(({ id }) => id);
  const found = await mapLimit(ids, 4, async (id) => await askRuleset(repository, id));
  const hidden = findUntold(found);
  if (hidden !== undefined) return findingOfUntold(rule, hidden, "warning");
  const refusing = found.some((it) => it.kind === "is" && it.value.rules?.some(refusesOurs) === true);
  if (!refusing) return settingOk(rule, "no rule for pushes refuses our files");
  const message = "a rule for pushes names files of secrets/ or policies/, or of their kind";
  return settingMissing(rule, message, `leave them out of it: ${place.page("settings/rules")}`, "warning");
}

function refusesOurs({ type, parameters = {} }: NonNullable<Ruleset["rules"]>[number]): boolean {
  if (type === "file_path_restriction") {
    return (parameters.restricted_file_paths ?? []).some((it) =>
      /^(?:\/?(?:\*\*\/?)?(?:secrets|policies)\b|\*\*?\/?\*?$)/.test(it),
    );
  }
  if (type === "file_extension_restriction") {
    return (parameters.restricted_file_extensions ?? []).some((it) => /^(?:\*?\.)?(?:ya?ml|age|pub)$/.test(it));
  }
  return type === "max_file_path_length" && (parameters.max_file_path_length ?? 256) < 100;
}
