import { z } from "zod";
import { askSettings, findingOfUntold, findUntold, isUntold, type Asked } from "./ask.ts";
import { nameOf, settingMissing, settingOk, type SettingFinding } from "./finding.ts";
import type { Inspection } from "./inspection.ts";
import { shellWord } from "./place.ts";
import { isIdentityName } from "./identity-name.ts";
import type { WantedEnvironment } from "./wants.ts";

const environment = z.object({
  name: z.string(),
  protection_rules: z
    .array(
      z.object({
        type: z.string(),
        prevent_self_review: z.boolean().optional(),
        reviewers: z.array(z.unknown()).optional(),
      }),
    )
    .optional(),
  deployment_branch_policy: z
    .object({ protected_branches: z.boolean(), custom_branch_policies: z.boolean() })
    .nullish(),
});
type Environment = z.infer<typeof environment>;

const environments = z.object({ environments: z.array(environment).optional() });
const branchPolicies = z.object({
  branch_policies: z.array(z.object({ name: z.string().optional(), type: z.string().optional() })),
});
const secrets = z.object({ secrets: z.array(z.object({ name: z.string() })) });

/** Each environment that the workflows use, and that identities are nowhere else. */
export async function checkEnvironments(inspection: Inspection): Promise<SettingFinding[]> {
  const { repository, wants } = inspection;
  const elsewhere = await checkElsewhere(inspection);
  if (wants.environments.length === 0) return elsewhere;
  const asked = await askSettings(
    repository,
    { path: ["environments"], schema: environments, right: "Actions: read" },
    (page) => page.environments ?? [],
  );
  const findings: SettingFinding[] = [];
  for (const wanted of wants.environments) findings.push(...(await checkOne(inspection, wanted, asked)));
  return [...findings, ...elsewhere];
}

async function checkOne(
  inspection: Inspection,
  wanted: WantedEnvironment,
  asked: Asked<readonly Environment[]>,
): Promise<SettingFinding[]> {
  const { place } = inspection;
  const { name } = wanted;
  if (isUntold(asked))
    return (["environment-exists", "environment-branches"] as const).map((it) => findingOfUntold(it, asked));
  // GitHub takes names of environments without regard to case.
  const found =
    asked.kind === "is" ? asked.value.find((it) => it.name.toLowerCase() === name.toLowerCase()) : undefined;
  if (found === undefined) {
    const hint = place.api(
      `environments/${encodeURIComponent(name)}`,
      "--method PUT -F 'deployment_branch_policy[protected_branches]=false' -F 'deployment_branch_policy[custom_branch_policies]=true'",
    );
    return [
      settingMissing(
        "environment-exists",
        `there is no environment ${name}; a job that names it makes one that every branch may use`,
        hint,
      ),
    ];
  }
  return [
    settingOk("environment-exists", `${name} is there`),
    await checkBranches(inspection, found),
    ...(wanted.reviewers === "any" ? [] : [checkReviewers(inspection, found, wanted.reviewers)]),
    ...(await checkSecrets(inspection, wanted)),
  ];
}

async function checkBranches({ repository, facts, place }: Inspection, found: Environment): Promise<SettingFinding> {
  const rule = "environment-branches";
  const name = nameOf(found.name);
  const branch = facts.default_branch;
  const policies = `environments/${encodeURIComponent(found.name)}/deployment-branch-policies`;
  const add = place.api(policies, `--method POST -f ${shellWord(`name=${branch}`)} -f type=branch`);
  const select = `select ${branch} alone: ${place.page("settings/environments")}`;
  const policy = found.deployment_branch_policy ?? undefined;
  if (policy === undefined)
    return settingMissing(rule, `every branch and tag may use ${name}, with its identity`, select);
  if (!policy.custom_branch_policies) {
    const message = `${name} goes by protected branches: these are all branches while no classic protection is there`;
    return settingMissing(rule, message, select);
  }
  const asked = await askSettings(
    repository,
    {
      path: ["environments", found.name, "deployment-branch-policies"],
      schema: branchPolicies,
      right: "Actions: read",
    },
    (page) => page.branch_policies,
  );
  if (asked.kind !== "is")
    return asked.kind === "none"
      ? settingMissing(rule, `no branch may use ${name}`, add)
      : findingOfUntold(rule, asked);
  const others = asked.value.filter((it) => it.type === "tag" || it.name !== branch);
  if (others.length > 0) {
    const named = others.map((it) => `${it.type === "tag" ? "the tag " : ""}${nameOf(it.name ?? "")}`).join(", ");
    return settingMissing(rule, `besides ${branch}, ${name} may be used by ${named}`, select);
  }
  if (asked.value.length === 0) return settingMissing(rule, `no branch may use ${name}`, add);
  return settingOk(rule, `only ${branch} may use ${name}`);
}

function checkReviewers({ place, facts }: Inspection, found: Environment, wanted: "required" | "none"): SettingFinding {
  const rule = "environment-reviewers";
  const name = nameOf(found.name);
  const page = place.page("settings/environments");
  const review = found.protection_rules?.find(({ type }) => type === "required_reviewers");
  const hasReviewers = (review?.reviewers ?? []).length > 0;
  if (wanted === "none") {
    return hasReviewers
      ? settingMissing(rule, `every nightly run of ${name} waits for an approval`, `take the reviewers out: ${page}`)
      : settingOk(rule, `jobs of ${name} wait for nobody`);
  }
  const plan = facts.private ? "; in private repositories it takes GitHub Enterprise" : "";
  const hint = `name reviewers and prevent self-review: ${page}${plan}`;
  if (!hasReviewers) return settingMissing(rule, `nobody has to approve a job of ${name}`, hint);
  if (review?.prevent_self_review !== true) {
    return settingMissing(rule, `who starts a job of ${name} may approve it too`, hint, "warning");
  }
  return settingOk(rule, `somebody else approves the jobs of ${name}`);
}

async function checkSecrets({ repository, place }: Inspection, wanted: WantedEnvironment): Promise<SettingFinding[]> {
  const rule = "environment-identity";
  if (wanted.secrets.length === 0) return [];
  const { name } = wanted;
  const asked = await askSettings(
    repository,
    { path: ["environments", name, "secrets"], schema: secrets, right: "Environments: read" },
    (page) => page.secrets,
  );
  if (asked.kind !== "is") return isUntold(asked) ? [findingOfUntold(rule, asked)] : [];
  const there = new Set(asked.value.map((it) => it.name.toUpperCase()));
  const lacking = wanted.secrets.filter((it) => !there.has(it.toUpperCase()));
  return lacking.length === 0
    ? [settingOk(rule, `${name} has ${wanted.secrets.join(", ")}`)]
    : lacking.map((it) => {
        const set = `${place.gh(`secret set ${it} --env ${shellWord(name)}`)} < FILE`;
        return settingMissing(rule, `${name} has no secret ${it}`, set);
      });
}

async function checkElsewhere({ repository, facts, place, wants }: Inspection): Promise<SettingFinding[]> {
  const rule = "identity-elsewhere";
  const list = async (path: readonly string[]) =>
    await askSettings(repository, { path, schema: secrets, right: "Secrets: read" }, (page) => page.secrets);
  const own = await list(["actions", "secrets"]);
  const shared: typeof own =
    facts.owner.type === "User" ? { kind: "none" } : await list(["actions", "organization-secrets"]);
  const names = new Set(wants.environments.flatMap((it) => it.secrets).map((it) => it.toUpperCase()));
  const bad = (asked: typeof own) =>
    (asked.kind === "is" ? asked.value : [])
      .map(({ name }) => name)
      .filter((it) => names.has(it.toUpperCase()) || isIdentityName(it));
  const [ofOwn, ofShared] = [bad(own), bad(shared)];
  const after = "every branch reads it, so count it as known to all who may push, and make a new one";
  const findings = [
    ...ofOwn.map((name) =>
      settingMissing(
        rule,
        `${nameOf(name)} is a secret of the repository: ${after}`,
        place.gh(`secret delete ${shellWord(nameOf(name))}`),
      ),
    ),
    ...ofShared.map((name) =>
      settingMissing(
        rule,
        `${nameOf(name)} is a secret of the organisation: ${after}`,
        "take this repository out of its repositories, in the settings of the organisation",
      ),
    ),
  ];
  if (findings.length > 0) return findings;
  const hidden = findUntold([own, shared]);
  if (hidden !== undefined) return [findingOfUntold(rule, hidden)];
  return [settingOk(rule, "no identity is a secret of the repository or the organisation")];
}
