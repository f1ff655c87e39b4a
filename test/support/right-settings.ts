import type { SettingWants } from "../../src/github/settings/wants.ts";
import type { GithubSettingsState } from "./fakes/github-settings.ts";

/** A full commit of an action in tests. */
export const testCommit = "0123456789abcdef0123456789abcdef01234567";

const rotationWorkflow = `on:
  schedule: [{ cron: "17 3 * * *" }]
permissions: {}
jobs:
  rotate:
    runs-on: ubuntu-24.04
    environment: rotation
    steps:
      - uses: actions/checkout@${testCommit} # v7.0.1
      - uses: test-maker/sealtree@${testCommit} # v0.2.0
        env: { SEALTREE_IDENTITY: "\${{ secrets.SEALTREE_IDENTITY }}" }
`;

/** Lines of code owners as the policy of the tests asks for them. */
export const rightOwners = ["# Made by a test.", "/secrets/ @test-admin", "/policies/ @test-admin"];

/** What a test wants of {@link rightState}. */
export function rightWants(api: string): SettingWants {
  return {
    api,
    branch: "main",
    signing: "require",
    checks: ["secrets"],
    codeowners: { block: rightOwners },
    environments: [
      { name: "rotation", secrets: ["SEALTREE_IDENTITY"], reviewers: "none" },
      { name: "production", secrets: ["SEALTREE_IDENTITY", "TEST_TOKEN"], reviewers: "required" },
    ],
    workflows: [{ path: ".github/workflows/secrets-rotation.yml", text: rotationWorkflow, isScheduled: true }],
    actions: [`actions/checkout@${testCommit}`, `test-maker/sealtree@${testCommit}`],
    rotation: { branch: "sealtree/rotation", usesJobToken: true, hasHeartbeat: true },
  };
}

/** A repository in which everything is as {@link rightWants} has it, and a token that may see all of it. */
export function rightState(): GithubSettingsState {
  return {
    rights: new Set([
      "contents",
      "contents:write",
      "administration",
      "administration:write",
      "actions",
      "environments",
      "secrets",
    ]),
    repository: {
      name: "test-name",
      full_name: "test-owner/test-name",
      owner: { login: "test-owner", id: 3, type: "Organization" },
      private: false,
      fork: false,
      archived: false,
      default_branch: "main",
    },
    analysis: { secret_scanning: { status: "enabled" }, secret_scanning_push_protection: { status: "enabled" } },
    merge: { allow_merge_commit: true, allow_squash_merge: false, allow_rebase_merge: false },
    rulesets: [
      {
        id: 41,
        target: "branch",
        enforcement: "active",
        branches: ["~DEFAULT_BRANCH"],
        rules: [
          { type: "deletion" },
          { type: "non_fast_forward" },
          { type: "required_signatures" },
          {
            type: "pull_request",
            parameters: {
              required_approving_review_count: 1,
              dismiss_stale_reviews_on_push: true,
              require_code_owner_review: true,
              require_last_push_approval: true,
              required_review_thread_resolution: false,
              allowed_merge_methods: ["merge"],
            },
          },
          {
            type: "required_status_checks",
            parameters: {
              strict_required_status_checks_policy: true,
              required_status_checks: [{ context: "secrets", integration_id: 15368 }],
            },
          },
        ],
        bypass: [],
      },
    ],
    protection: undefined,
    files: new Map([
      [".github/CODEOWNERS", ["# sealtree: begin", ...rightOwners, "# sealtree: end", ""].join("\n")],
      [".github/workflows/secrets-rotation.yml", rotationWorkflow],
      [".github/workflows/notes.txt", "this is no workflow"],
    ]),
    codeownersErrors: [],
    environments: new Map([
      [
        "rotation",
        {
          branches: [{ name: "main", type: "branch" }],
          reviewers: 0,
          preventsSelfReview: false,
          secrets: ["SEALTREE_IDENTITY"],
        },
      ],
      [
        "production",
        {
          branches: [{ name: "main", type: "branch" }],
          reviewers: 1,
          preventsSelfReview: true,
          secrets: ["SEALTREE_IDENTITY", "TEST_TOKEN"],
        },
      ],
    ]),
    secrets: ["SOMETHING_ELSE"],
    organizationSecrets: [],
    actions: { enabled: true, allowed_actions: "selected", sha_pinning_required: true },
    selected: { github_owned_allowed: true, verified_allowed: false, patterns_allowed: ["test-maker/*"] },
    token: { default_workflow_permissions: "read", can_approve_pull_request_reviews: true },
    forkApproval: "first_time_contributors",
    privateForks: {
      run_workflows_from_fork_pull_requests: false,
      send_write_tokens_to_workflows: false,
      send_secrets_and_variables: false,
      require_approval_for_fork_pr_workflows: true,
    },
    workflows: new Map([[".github/workflows/secrets-rotation.yml", "active"]]),
  };
}
