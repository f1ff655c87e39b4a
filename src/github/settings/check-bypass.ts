import { z } from "zod";
import { mapLimit } from "../../services/map-limit.ts";
import { askSetting, findingOfUntold, findUntold, type Asked } from "./ask.ts";
import type { ActiveRule, ClassicProtection } from "./branch-rules.ts";
import { settingMissing, settingOk, type SettingFinding } from "./finding.ts";
import type { Inspection } from "./inspection.ts";

const rule = "branch-bypass";

const ruleset = z.object({
  bypass_actors: z
    .array(
      z.object({
        actor_id: z.int().nullish(),
        actor_type: z.string(),
        bypass_mode: z.string().optional(),
      }),
    )
    .optional(),
});
type Actor = NonNullable<z.infer<typeof ruleset>["bypass_actors"]>[number];

const right = "Administration: write, which alone shows who may bypass";

/** Who may pass by the rules of the default branch, of every ruleset and of classic protection. */
export async function checkBypass(
  { repository, place, wants }: Inspection,
  active: Asked<readonly ActiveRule[]>,
  classic: Asked<ClassicProtection>,
): Promise<SettingFinding> {
  const ids = active.kind === "is" ? [...new Set(active.value.flatMap((it) => it.ruleset_id ?? []))] : [];
  const asked = await mapLimit(ids, 4, async (id): Promise<Asked<readonly Actor[]>> => {
    const answer = await askSetting(repository, { path: ["rulesets", String(id)], schema: ruleset, right });
    if (answer.kind !== "is") return answer;
    const actors = answer.value.bypass_actors;
    return actors === undefined ? { kind: "hidden", right } : { kind: "is", value: actors };
  });
  const pushes = wants.rotation !== undefined && wants.rotation.branch === undefined;
  const who = asked
    .flatMap((it) => (it.kind === "is" ? it.value : []))
    .filter((it) => !(pushes && isMachine(it)))
    .map(sayActor);
  if (classic.kind === "is") {
    if (!classic.value.isForAdmins) who.push("administrators, in the branch protection");
    const { allowances } = classic.value;
    if (allowances > 0) who.push(`${allowances} named in the branch protection`);
  }
  if (who.length > 0) {
    const hint = `empty the bypass list: ${place.page("settings/rules")}`;
    return settingMissing(rule, `these may pass by the rules: ${[...new Set(who)].join(", ")}`, hint);
  }
  const hidden = findUntold([active, ...asked, classic]);
  if (hidden !== undefined) return findingOfUntold(rule, hidden);
  return settingOk(rule, pushes ? "nobody but a machine may pass by the rules" : "nobody may pass by the rules");
}

/** What a rotation that pushes to the branch itself comes as. */
function isMachine({ actor_type: type }: Actor): boolean {
  return type === "Integration" || type === "DeployKey";
}

function sayActor({ actor_type: type, actor_id: id, bypass_mode: mode }: Actor): string {
  const number = id === undefined || id === null ? "" : ` ${id}`;
  const where = mode === "pull_request" ? " (on pull requests)" : "";
  switch (type) {
    case "OrganizationAdmin":
      return `administrators of the organisation${where}`;
    case "DeployKey":
      return `every deploy key${where}`;
    case "RepositoryRole":
      return `${roles.get(id ?? 0) ?? `the role${number}`}${where}`;
    case "Integration":
      return `the app${number}${where}`;
    case "Team":
      return `the team${number}${where}`;
    case "User":
      return `the user${number}${where}`;
    default:
      return `somebody of a kind that is not known${where}`;
  }
}

/** The numbers of GitHub's own roles. */
const roles: ReadonlyMap<number, string> = new Map([
  [2, "the role maintain"],
  [4, "the role write"],
  [5, "repository administrators"],
]);
