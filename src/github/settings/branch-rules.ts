import { z } from "zod";
import type { GithubRepository } from "../repository.ts";
import { askSetting, askSettings, type Asked } from "./ask.ts";

/** What must be so before a branch changes; of all rules that hold for it together, or of classic protection. */
export interface BranchRules {
  /** Undefined when changes need no pull request. */
  readonly pullRequest: PullRequestRule | undefined;
  readonly checks: readonly RequiredCheck[];
  readonly isUpToDate: boolean;
  readonly blocksForcePush: boolean;
  readonly blocksDeletion: boolean;
  readonly needsSignatures: boolean;
  readonly needsLinearHistory: boolean;
  /** Ways to merge that are left, of `merge`, `squash` and `rebase`; undefined when no rule says. */
  readonly mergeMethods: readonly string[] | undefined;
  /** Other rules that keep pushes away, such as `creation`, `update` or `lock`. */
  readonly otherLocks: readonly string[];
}

export interface PullRequestRule {
  readonly approvals: number;
  readonly codeOwners: boolean;
  readonly dismissesStale: boolean;
  readonly lastPush: boolean;
}

export interface RequiredCheck {
  readonly context: string;
  /** The only app that may report it; undefined for anybody. */
  readonly app: number | undefined;
}

/** A rule in force, and the ruleset that it is of. */
export type ActiveRule = z.infer<typeof activeRule>;

const activeRule = z.object({
  type: z.string(),
  ruleset_id: z.int().optional(),
  parameters: z
    .object({
      allowed_merge_methods: z.array(z.string()).optional(),
      dismiss_stale_reviews_on_push: z.boolean().optional(),
      require_code_owner_review: z.boolean().optional(),
      require_last_push_approval: z.boolean().optional(),
      required_approving_review_count: z.int().optional(),
      merge_method: z.string().optional(),
      strict_required_status_checks_policy: z.boolean().optional(),
      required_status_checks: z.array(z.object({ context: z.string(), integration_id: z.int().nullish() })).optional(),
    })
    .optional(),
});

/** All rules of rulesets that hold for a branch, those of the organisation too (GET rules/branches/BRANCH). */
export async function askActiveRules(
  repository: GithubRepository,
  branch: string,
): Promise<Asked<readonly ActiveRule[]>> {
  const path = ["rules", "branches", branch];
  // The token sees the repository, so what keeps it out here is most likely the plan.
  const right = "Metadata: read; in private repositories rules need a plan that has them, from Pro and Team on";
  return await askSettings(repository, { path, schema: z.array(activeRule), right }, (page) => page);
}

/** What rules come to together: the strictest of each. */
export function combineRules(rules: readonly ActiveRule[]): BranchRules {
  const of = (type: string) => rules.filter((rule) => rule.type === type).map(({ parameters = {} }) => parameters);
  const has = (type: string) => rules.some((rule) => rule.type === type);
  const pulls = of("pull_request");
  const checks = of("required_status_checks");
  const queues = of("merge_queue").flatMap(({ merge_method }) => merge_method?.toLowerCase() ?? []);
  const allowed = [
    ...pulls.flatMap(({ allowed_merge_methods }) =>
      allowed_merge_methods === undefined ? [] : [allowed_merge_methods],
    ),
    ...queues.map((method) => [method]),
  ];
  const all = ["merge", "squash", "rebase"];
  return {
    pullRequest:
      pulls.length === 0
        ? undefined
        : {
            approvals: Math.max(...pulls.map((it) => it.required_approving_review_count ?? 0)),
            codeOwners: pulls.some((it) => it.require_code_owner_review === true),
            dismissesStale: pulls.some((it) => it.dismiss_stale_reviews_on_push === true),
            lastPush: pulls.some((it) => it.require_last_push_approval === true),
          },
    checks: checks.flatMap(({ required_status_checks = [] }) =>
      required_status_checks.map((it) => ({ context: it.context, app: it.integration_id ?? undefined })),
    ),
    isUpToDate: queues.length > 0 || checks.some((it) => it.strict_required_status_checks_policy === true),
    blocksForcePush: has("non_fast_forward"),
    blocksDeletion: has("deletion"),
    needsSignatures: has("required_signatures"),
    needsLinearHistory: has("required_linear_history"),
    mergeMethods: allowed.length === 0 ? undefined : all.filter((it) => allowed.every((list) => list.includes(it))),
    otherLocks: ["creation", "update"].filter(has),
  };
}

const enabled = z.object({ enabled: z.boolean().optional() }).optional();
const actors = z.array(z.unknown()).optional();
const protection = z.object({
  required_status_checks: z
    .object({
      strict: z.boolean().optional(),
      contexts: z.array(z.string()).optional(),
      checks: z.array(z.object({ context: z.string(), app_id: z.int().nullable() })).optional(),
    })
    .optional(),
  enforce_admins: enabled,
  required_pull_request_reviews: z
    .object({
      dismiss_stale_reviews: z.boolean(),
      require_code_owner_reviews: z.boolean(),
      required_approving_review_count: z.int().optional(),
      require_last_push_approval: z.boolean().optional(),
      bypass_pull_request_allowances: z.object({ users: actors, teams: actors, apps: actors }).optional(),
    })
    .optional(),
  required_linear_history: enabled,
  allow_force_pushes: enabled,
  allow_deletions: enabled,
  required_signatures: enabled,
  lock_branch: enabled,
});

/** Classic protection of a branch, and who is under none of it. */
export interface ClassicProtection {
  readonly rules: BranchRules;
  readonly isForAdmins: boolean;
  /** How many users, teams and apps may go without a pull request. */
  readonly allowances: number;
}

/** The classic protection of a branch (GET branches/BRANCH/protection); `none` without. */
export async function askClassicProtection(
  repository: GithubRepository,
  branch: string,
): Promise<Asked<ClassicProtection>> {
  const asked = await askSetting(repository, {
    path: ["branches", branch, "protection"],
    schema: protection,
    right: "Administration: read",
    // What GitHub says to those who may see it; to all others the branch is not there.
    isNone: (json) =>
      typeof json === "object" && json !== null && "message" in json && json.message === "Branch not protected",
  });
  return asked.kind === "is" ? { kind: "is", value: readProtection(asked.value) } : asked;
}

function readProtection(found: z.infer<typeof protection>): ClassicProtection {
  const { required_status_checks: checks, required_pull_request_reviews: reviews } = found;
  const allowances = reviews?.bypass_pull_request_allowances;
  const named = checks?.checks ?? checks?.contexts?.map((context) => ({ context, app_id: null })) ?? [];
  return {
    rules: {
      pullRequest:
        reviews === undefined
          ? undefined
          : {
              approvals: reviews.required_approving_review_count ?? 0,
              codeOwners: reviews.require_code_owner_reviews,
              dismissesStale: reviews.dismiss_stale_reviews,
              lastPush: reviews.require_last_push_approval === true,
            },
      // -1 stands for any app.
      checks: named.map(({ context, app_id }) => ({
        context,
        app: app_id === null || app_id < 0 ? undefined : app_id,
      })),
      isUpToDate: checks?.strict === true,
      blocksForcePush: found.allow_force_pushes?.enabled !== true,
      blocksDeletion: found.allow_deletions?.enabled !== true,
      needsSignatures: found.required_signatures?.enabled === true,
      needsLinearHistory: found.required_linear_history?.enabled === true,
      mergeMethods: undefined,
      otherLocks: found.lock_branch?.enabled === true ? ["lock"] : [],
    },
    isForAdmins: found.enforce_admins?.enabled === true,
    allowances: [allowances?.users, allowances?.teams, allowances?.apps].reduce(
      (sum, it) => sum + (it?.length ?? 0),
      0,
    ),
  };
}
