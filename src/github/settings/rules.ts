/** Parts that the rules are shown in, in this order. */
export const settingAreas = [
  "repository",
  "branch",
  "code owners",
  "environments",
  "actions",
  "workflows",
  "rotation",
] as const;
export type SettingArea = (typeof settingAreas)[number];

/** How much a rule weighs: an error that is missing, or not known, fails the check. */
export type SettingSeverity = "error" | "warning" | "notice";

interface SettingRuleEntry {
  readonly area: SettingArea;
  readonly severity: SettingSeverity;
  /** What it looks for, in one sentence. */
  readonly describe: string;
}

/** Every rule by name, each with a heading in docs/github-settings.md, in that order. */
export const settingRules = {
  "repository-archived": {
    area: "repository",
    severity: "error",
    describe: "The repository is not archived, so that secrets can be rotated.",
  },
  "secret-scanning": {
    area: "repository",
    severity: "notice",
    describe: "GitHub looks for credentials that were committed in the open.",
  },
  "push-protection": {
    area: "repository",
    severity: "notice",
    describe: "GitHub refuses pushes with credentials in the open.",
  },
  "branch-pull-request": {
    area: "branch",
    severity: "error",
    describe: "The default branch takes pull requests only, with one approval at least.",
  },
  "branch-code-owners": {
    area: "branch",
    severity: "error",
    describe: "A code owner approves what the pull request changes.",
  },
  "branch-stale-reviews": {
    area: "branch",
    severity: "warning",
    describe: "A push takes earlier approvals away, and somebody else approves the last push.",
  },
  "branch-checks": {
    area: "branch",
    severity: "error",
    describe: "The checks of the workflows are required before merging.",
  },
  "branch-check-source": {
    area: "branch",
    severity: "warning",
    describe: "Only GitHub Actions can report a required check, on the newest state of the branch.",
  },
  "branch-force-push": { area: "branch", severity: "error", describe: "Nobody rewrites the default branch." },
  "branch-deletion": { area: "branch", severity: "error", describe: "Nobody deletes the default branch." },
  "branch-merge-methods": {
    area: "branch",
    severity: "warning",
    describe: "Merge commits are the only way to merge, so that the members' signatures stay.",
  },
  "branch-signatures": {
    area: "branch",
    severity: "notice",
    describe: "Where the policy requires signatures, the branch takes signed commits only.",
  },
  "branch-bypass": {
    area: "branch",
    severity: "warning",
    describe: "Nobody may pass by the rules of the default branch.",
  },
  "codeowners-file": {
    area: "code owners",
    severity: "error",
    describe: "The code owners on the default branch are those that the policy asks for.",
  },
  "codeowners-errors": {
    area: "code owners",
    severity: "error",
    describe: "GitHub finds no mistake in the file: it leaves out lines with one.",
  },
  "codeowners-order": {
    area: "code owners",
    severity: "warning",
    describe: "No line after those of sealtree takes a path out of the hands of its owners.",
  },
  "environment-exists": {
    area: "environments",
    severity: "error",
    describe: "Every environment that a workflow names is there.",
  },
  "environment-branches": {
    area: "environments",
    severity: "error",
    describe: "Only the default branch may use an environment with an identity.",
  },
  "environment-reviewers": {
    area: "environments",
    severity: "error",
    describe: "Jobs wait for somebody else's approval where that is wanted, and never where they run at night.",
  },
  "environment-identity": {
    area: "environments",
    severity: "error",
    describe: "The identity is a secret of the environment.",
  },
  "identity-elsewhere": {
    area: "environments",
    severity: "error",
    describe: "No identity is a secret of the repository or the organisation, where every branch reads it.",
  },
  "actions-enabled": { area: "actions", severity: "error", describe: "GitHub Actions is on." },
  "actions-blocked": {
    area: "actions",
    severity: "error",
    describe: "The actions that the workflows use may run.",
  },
  "actions-allowed": {
    area: "actions",
    severity: "warning",
    describe: "Only chosen actions may run, not everybody's.",
  },
  "actions-pinning": {
    area: "actions",
    severity: "warning",
    describe: "GitHub runs actions only when they are named by a full commit.",
  },
  "token-permissions": {
    area: "actions",
    severity: "error",
    describe: "The token of a job may read, and more only where the workflow asks for it.",
  },
  "token-pull-requests": {
    area: "actions",
    severity: "error",
    describe: "Workflows may open pull requests where rotation does so, and may not approve them elsewhere.",
  },
  "fork-approval": {
    area: "actions",
    severity: "warning",
    describe: "Somebody approves workflows of a first pull request from a fork.",
  },
  "fork-secrets": {
    area: "actions",
    severity: "error",
    describe: "Workflows of a private repository's forks get neither secrets nor a token that writes.",
  },
  "workflow-files": {
    area: "workflows",
    severity: "error",
    describe: "The workflows are on the default branch, as github-setup would write them now.",
  },
  "workflow-branch": {
    area: "workflows",
    severity: "error",
    describe: "The workflows were written for the branch that is the default one.",
  },
  "workflow-state": { area: "workflows", severity: "error", describe: "The workflows are turned on." },
  "workflow-schedule": {
    area: "workflows",
    severity: "notice",
    describe: "Schedules go on when nobody works in the repository.",
  },
  "workflow-pinned": {
    area: "workflows",
    severity: "error",
    describe: "Every action of every workflow is named by its full commit.",
  },
  "workflow-foreign-code": {
    area: "workflows",
    severity: "error",
    describe: "No workflow that has secrets checks out what a pull request brings in.",
  },
  "workflow-identity": {
    area: "workflows",
    severity: "error",
    describe: "A job with an identity runs in an environment.",
  },
  "rotation-branch": {
    area: "rotation",
    severity: "error",
    describe: "Rotation can push to where it records, and nothing refuses its files.",
  },
} as const satisfies Record<string, SettingRuleEntry>;
export type SettingRule = keyof typeof settingRules;
