import { z } from "zod";
import { askSetting, findingOfUntold, isUntold, type Asked } from "./ask.ts";
import { settingMissing, settingOk, settingUnknown, type SettingFinding } from "./finding.ts";
import type { Inspection } from "./inspection.ts";

const right = "Administration: read";
const permissions = z.object({
  enabled: z.boolean(),
  allowed_actions: z.string().optional(),
  sha_pinning_required: z.boolean().optional(),
});
const selected = z.object({
  github_owned_allowed: z.boolean().optional(),
  verified_allowed: z.boolean().optional(),
  patterns_allowed: z.array(z.string()).optional(),
});
const token = z.object({ default_workflow_permissions: z.string(), can_approve_pull_request_reviews: z.boolean() });
const approval = z.object({ approval_policy: z.string() });
const privateForks = z.object({
  run_workflows_from_fork_pull_requests: z.boolean(),
  send_write_tokens_to_workflows: z.boolean(),
  send_secrets_and_variables: z.boolean(),
});

/** The permissions of GitHub Actions in the repository. */
export async function checkActions(inspection: Inspection): Promise<SettingFinding[]> {
  return [
    ...(await checkPermissions(inspection)),
    ...(await checkToken(inspection)),
    await (inspection.facts.private ? checkPrivateForks(inspection) : checkForkApproval(inspection)),
  ];
}

async function checkPermissions(inspection: Inspection): Promise<SettingFinding[]> {
  const { repository, place } = inspection;
  const asked = await askSetting(repository, { path: ["actions", "permissions"], schema: permissions, right });
  if (asked.kind !== "is") {
    const rules = ["actions-enabled", "actions-blocked", "actions-allowed", "actions-pinning"] as const;
    return isUntold(asked) ? rules.map((rule) => findingOfUntold(rule, asked)) : [];
  }
  const { enabled, allowed_actions: allowed, sha_pinning_required: isPinned } = asked.value;
  const page = place.page("settings/actions");
  if (!enabled) {
    return [settingMissing("actions-enabled", "GitHub Actions is off: no workflow runs", page)];
  }
  const pin = place.api(
    "actions/permissions",
    `--method PUT -F enabled=true ${sayAllowed(allowed)} -F sha_pinning_required=true`,
  );
  return [
    settingOk("actions-enabled", "GitHub Actions is on"),
    await checkBlocked(inspection, allowed),
    allowed === "all"
      ? settingMissing("actions-allowed", "workflows may use everybody's actions", `choose which: ${page}`)
      : settingOk("actions-allowed", "workflows may use chosen actions only"),
    isPinned === true
      ? settingOk("actions-pinning", "actions run only when they are named by a full commit")
      : isPinned === false
        ? settingMissing("actions-pinning", "actions run also when they are named by a tag, which can be moved", pin)
        : settingUnknown("actions-pinning", "not known: this GitHub does not say", `look at ${page}`),
  ];
}

async function checkBlocked(
  { repository, place, wants }: Inspection,
  allowed: string | undefined,
): Promise<SettingFinding> {
  const rule = "actions-blocked";
  const ok = settingOk(rule, "the actions of the workflows may run");
  // Actions of the same owner may run in every case but the narrowest, and those of the repository in all.
  const owner = `${repository.owner.toLowerCase()}/`;
  const own = `${owner}${repository.name.toLowerCase()}@`;
  const foreign = wants.actions.filter((it) => !it.toLowerCase().startsWith(own));
  if (allowed === "all" || foreign.length === 0) return ok;
  const page = `allow them: ${place.page("settings/actions")}`;
  if (allowed === "local_only") {
    const refused = foreign.filter((it) => !it.toLowerCase().startsWith(owner));
    return refused.length === 0
      ? ok
      : settingMissing(
          rule,
          `only actions of ${repository.owner} may run, and the workflows use ${sayActions(refused)}`,
          page,
        );
  }
  const asked = await askSetting(repository, {
    path: ["actions", "permissions", "selected-actions"],
    schema: selected,
    right,
  });
  if (asked.kind !== "is") return isUntold(asked) ? findingOfUntold(rule, asked) : ok;
  const { github_owned_allowed: github, verified_allowed: verified, patterns_allowed: patterns = [] } = asked.value;
  const refused = foreign.filter((it) => {
    const name = it.toLowerCase();
    if (patterns.some((pattern) => pattern.startsWith("!") && matches(pattern.slice(1), name))) return true;
    if (name.startsWith(owner) || (github === true && /^(?:actions|github)\//.test(name))) return false;
    return !patterns.some((pattern) => !pattern.startsWith("!") && matches(pattern, name));
  });
  if (refused.length === 0) return ok;
  return verified === true
    ? settingUnknown(rule, `not known: whether GitHub verified who made ${sayActions(refused)}`, page)
    : settingMissing(rule, `these actions may not run: ${sayActions(refused)}`, page);
}

/** `*` stands for any text, as in `octo-org/*` and `octo-org/action@v2`. */
function matches(pattern: string, action: string): boolean {
  const [first = "", ...rest] = pattern.toLowerCase().split("*");
  const last = rest.pop();
  if (last === undefined) return first === action;
  let at = first.length;
  if (!action.startsWith(first) || !action.endsWith(last)) return false;
  for (const part of rest) {
    const found = action.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= action.length - last.length;
}

function sayActions(actions: readonly string[]): string {
  return [...new Set(actions.map((it) => it.replace(/@.*/, "")))].join(", ");
}

async function checkToken({ repository, place, wants }: Inspection): Promise<SettingFinding[]> {
  const asked = await askSetting(repository, { path: ["actions", "permissions", "workflow"], schema: token, right });
  if (asked.kind !== "is") {
    const rules = ["token-permissions", "token-pull-requests"] as const;
    return isUntold(asked) ? rules.map((rule) => findingOfUntold(rule, asked)) : [];
  }
  const { default_workflow_permissions: standard, can_approve_pull_request_reviews: may } = asked.value;
  const needs = wants.rotation?.branch !== undefined && wants.rotation.usesJobToken;
  const set = place.api(
    "actions/permissions/workflow",
    `--method PUT -f default_workflow_permissions=read -F can_approve_pull_request_reviews=${String(needs)}`,
  );
  return [
    standard === "read"
      ? settingOk("token-permissions", "the token of a job may read")
      : settingMissing("token-permissions", "the token of a job may write wherever a workflow does not say", set),
    may === needs
      ? settingOk(
          "token-pull-requests",
          needs ? "workflows may open pull requests" : "workflows may neither open nor approve pull requests",
        )
      : needs
        ? settingMissing("token-pull-requests", "rotation opens pull requests, and workflows may not", set)
        : settingMissing(
            "token-pull-requests",
            "workflows may approve pull requests, and none of ours opens one",
            set,
            "warning",
          ),
  ];
}

async function checkForkApproval({ repository, place }: Inspection): Promise<SettingFinding> {
  const rule = "fork-approval";
  const path = ["actions", "permissions", "fork-pr-contributor-approval"];
  const asked = await askSetting(repository, { path, schema: approval, right });
  if (asked.kind !== "is")
    return isUntold(asked) ? findingOfUntold(rule, asked) : settingOk(rule, "there are no forks");
  const { approval_policy: policy } = asked.value;
  if (policy === "first_time_contributors" || policy === "all_external_contributors") {
    return settingOk(rule, "somebody approves the workflows of a first pull request");
  }
  const set = place.api(path.join("/"), "--method PUT -f approval_policy=first_time_contributors");
  return settingMissing(rule, "whoever has an account for a while runs workflows by a pull request from a fork", set);
}

async function checkPrivateForks({ repository, place }: Inspection): Promise<SettingFinding> {
  const rule = "fork-secrets";
  const path = ["actions", "permissions", "fork-pr-workflows-private-repos"];
  const asked: Asked<z.infer<typeof privateForks>> = await askSetting(repository, {
    path,
    schema: privateForks,
    right,
  });
  if (asked.kind !== "is")
    return isUntold(asked) ? findingOfUntold(rule, asked) : settingOk(rule, "there are no forks");
  const {
    run_workflows_from_fork_pull_requests: run,
    send_secrets_and_variables: secrets,
    send_write_tokens_to_workflows: write,
  } = asked.value;
  if (!run || !(secrets || write))
    return settingOk(rule, "workflows of forks get neither secrets nor a token that writes");
  const what = [...(secrets ? ["secrets"] : []), ...(write ? ["a token that writes"] : [])].join(" and ");
  const set = place.api(
    path.join("/"),
    "--method PUT -F run_workflows_from_fork_pull_requests=true -F send_secrets_and_variables=false -F send_write_tokens_to_workflows=false",
  );
  return settingMissing(rule, `workflows of forks get ${what}`, set);
}

/** What is chosen stays chosen. */
function sayAllowed(allowed: string | undefined): string {
  const known = ["all", "local_only", "selected"].find((it) => it === allowed);
  return known === undefined ? "" : `-f allowed_actions=${known}`;
}
