import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { openGithubRepository } from "../../../src/github/repository.ts";
import { failsSettings, type SettingFinding } from "../../../src/github/settings/finding.ts";
import { inspectSettings } from "../../../src/github/settings/inspect-settings.ts";
import { settingAreas, settingRules, type SettingRule } from "../../../src/github/settings/rules.ts";
import type { SettingWants } from "../../../src/github/settings/wants.ts";
import { Secret } from "../../../src/secret/secret.ts";
import {
  startFakeGithubSettings,
  type FakeGithubSettings,
  type GithubSettingsState,
  type SettingRight,
} from "../../support/fakes/github-settings.ts";
import { providerAccess } from "../../support/provider-access.ts";
import { rightOwners, rightState, rightWants, testCommit } from "../../support/right-settings.ts";

const token = `github_pat_${"test".repeat(8)}`;
let started: FakeGithubSettings | undefined;

afterEach(async () => {
  await started?.stop();
  started = undefined;
});

interface Case {
  readonly change?: (state: GithubSettingsState) => void;
  readonly want?: (wants: SettingWants) => SettingWants;
  readonly before?: (fake: FakeGithubSettings) => void;
}

async function inspect({ change, want = (it) => it, before }: Case = {}): Promise<SettingFinding[]> {
  const state = rightState();
  change?.(state);
  started = await startFakeGithubSettings(state);
  before?.(started);
  const repository = openGithubRepository({
    api: started.url,
    repository: "test-owner/test-name",
    token: Secret.text(token),
    access: providerAccess({}),
  });
  return await inspectSettings(repository, want({ ...rightWants(started.url), api: "https://api.github.com" }));
}

/** `rule state` of everything that is not as it must be. */
function wrong(findings: readonly SettingFinding[]): string[] {
  return findings.filter(({ state }) => state !== "ok").map(({ rule, state }) => `${rule} ${state}`);
}

const ruleOf = (state: GithubSettingsState, type: string) => {
  const rule = state.rulesets[0]?.rules.find((it) => it.type === type);
  if (rule === undefined) throw new Error(`the test has no rule ${type}`);
  return rule;
};
const dropRule = (type: string) => (state: GithubSettingsState) => {
  const [first] = state.rulesets;
  if (first !== undefined) first.rules = first.rules.filter((it) => it.type !== type);
};
const setRule = (type: string, more: Record<string, unknown>) => (state: GithubSettingsState) => {
  const rule = ruleOf(state, type);
  rule.parameters = { ...rule.parameters, ...more };
};
const bypass = (actor_type: string, actor_id: number | null) => (state: GithubSettingsState) =>
  state.rulesets[0]?.bypass.push({ actor_type, actor_id, bypass_mode: "always" });
const environment = (state: GithubSettingsState, name: string) => {
  const found = state.environments.get(name);
  if (found === undefined) throw new Error(`the test has no environment ${name}`);
  return found;
};
const addWorkflow = (text: string) => (state: GithubSettingsState) =>
  void state.files.set(".github/workflows/other.yaml", text);
const isPrivate = (state: GithubSettingsState) => {
  state.repository["private"] = true;
};
const direct = (wants: SettingWants): SettingWants => ({
  ...wants,
  rotation: { branch: undefined, usesJobToken: false, hasHeartbeat: true },
});

describe("a repository that is right in everything", () => {
  it("is ok in all of it, and passes", async () => {
    const findings = await inspect();
    expect(wrong(findings)).toEqual([]);
    expect(failsSettings(findings, true)).toBe(false);
  });

  it("is looked at by every rule but that for private repositories", async () => {
    const found = new Set((await inspect()).map(({ rule }) => rule));
    expect(Object.keys(settingRules).filter((rule) => !found.has(rule as SettingRule))).toEqual(["fork-secrets"]);
    await started?.stop();
    const ofPrivate = await inspect({ change: isPrivate });
    expect(wrong(ofPrivate)).toEqual([]);
    expect(ofPrivate.map(({ rule }) => rule)).toContain("fork-secrets");
  });

  it("is told of area by area, and asked nothing but questions", async () => {
    const areas = (await inspect()).map(({ area }) => settingAreas.indexOf(area));
    expect(areas).toEqual(areas.toSorted((a, b) => a - b));
    expect(started?.requests.every((request) => request.startsWith("GET "))).toBe(true);
  });

  it("is ok by classic protection as well", async () => {
    const findings = await inspect({
      change(state) {
        state.rulesets = [];
        state.protection = classic({});
      },
    });
    expect(wrong(findings)).toEqual([]);
  });

  it("is ok when rotation pushes to the branch itself, as an app that may", async () => {
    const change = (state: GithubSettingsState) => {
      bypass("Integration", 77)(state);
      state.token.can_approve_pull_request_reviews = false;
    };
    expect(wrong(await inspect({ change, want: direct }))).toEqual([]);
  });
});

function classic(more: Record<string, unknown>): Record<string, unknown> {
  return {
    required_status_checks: { strict: true, contexts: ["secrets"], checks: [{ context: "secrets", app_id: 15368 }] },
    enforce_admins: { url: "https://api.github.com/", enabled: true },
    required_pull_request_reviews: {
      dismiss_stale_reviews: true,
      require_code_owner_reviews: true,
      required_approving_review_count: 1,
      require_last_push_approval: true,
    },
    required_signatures: { url: "https://api.github.com/", enabled: true },
    allow_force_pushes: { enabled: false },
    allow_deletions: { enabled: false },
    ...more,
  };
}

const broken: readonly (readonly [what: string, expected: string, change: (state: GithubSettingsState) => void])[] = [
  ["an archived repository", "repository-archived", (it) => (it.repository["archived"] = true)],
  ["no secret scanning", "secret-scanning", (it) => (it.analysis.secret_scanning.status = "disabled")],
  ["no push protection", "push-protection", (it) => (it.analysis.secret_scanning_push_protection.status = "disabled")],
  ["no approval", "branch-pull-request", setRule("pull_request", { required_approving_review_count: 0 })],
  ["no code owner review", "branch-code-owners", setRule("pull_request", { require_code_owner_review: false })],
  ["stale approvals", "branch-stale-reviews", setRule("pull_request", { dismiss_stale_reviews_on_push: false })],
  ["one's own last push", "branch-stale-reviews", setRule("pull_request", { require_last_push_approval: false })],
  ["no required checks", "branch-checks", dropRule("required_status_checks")],
  [
    "another required check",
    "branch-checks",
    setRule("required_status_checks", { required_status_checks: [{ context: "build", integration_id: 15368 }] }),
  ],
  [
    "a check from anybody",
    "branch-check-source",
    setRule("required_status_checks", { required_status_checks: [{ context: "secrets" }] }),
  ],
  [
    "a check of another app",
    "branch-check-source",
    setRule("required_status_checks", { required_status_checks: [{ context: "secrets", integration_id: 1 }] }),
  ],
  [
    "a check of an old state",
    "branch-check-source",
    setRule("required_status_checks", { strict_required_status_checks_policy: false }),
  ],
  ["force pushes", "branch-force-push", dropRule("non_fast_forward")],
  ["deletion", "branch-deletion", dropRule("deletion")],
  ["unsigned commits", "branch-signatures", dropRule("required_signatures")],
  [
    "squash merging",
    "branch-merge-methods",
    (it) => {
      setRule("pull_request", { allowed_merge_methods: ["merge", "squash"] })(it);
      it.merge.allow_squash_merge = true;
    },
  ],
  [
    "rebase merging, without a rule",
    "branch-merge-methods",
    (it) => {
      delete ruleOf(it, "pull_request").parameters?.["allowed_merge_methods"];
      it.merge.allow_rebase_merge = true;
    },
  ],
  ["no merge commits", "branch-merge-methods", (it) => (it.merge.allow_merge_commit = false)],
  ["a linear history", "branch-merge-methods", (it) => it.rulesets[0]?.rules.push({ type: "required_linear_history" })],
  [
    "a merge queue that squashes",
    "branch-merge-methods",
    (it) =>
      it.rulesets[0]?.rules.push({
        type: "merge_queue",
        parameters: {
          check_response_timeout_minutes: 60,
          grouping_strategy: "ALLGREEN",
          max_entries_to_build: 5,
          max_entries_to_merge: 5,
          merge_method: "SQUASH",
          min_entries_to_merge: 1,
          min_entries_to_merge_wait_minutes: 5,
        },
      }),
  ],
  ["administrators who bypass", "branch-bypass", bypass("RepositoryRole", 5)],
  ["a user who bypasses", "branch-bypass", bypass("User", 9)],
  ["an app that bypasses without need", "branch-bypass", bypass("Integration", 77)],
  ["organisation administrators who bypass", "branch-bypass", bypass("OrganizationAdmin", null)],
  ["no code owners", "codeowners-file", (it) => it.files.delete(".github/CODEOWNERS")],
  [
    "other code owners",
    "codeowners-file",
    (it) => it.files.set(".github/CODEOWNERS", "# sealtree: begin\n/secrets/ @test-other\n# sealtree: end\n"),
  ],
  [
    "lines after ours",
    "codeowners-order",
    (it) => it.files.set(".github/CODEOWNERS", `${it.files.get(".github/CODEOWNERS") ?? ""}* @test-other\n`),
  ],
  ["mistakes in the owners", "codeowners-errors", (it) => it.codeownersErrors.push(2, 2, 3)],
  ["no environment", "environment-exists", (it) => it.environments.delete("production")],
  [
    "an environment for all branches",
    "environment-branches",
    (it) => (environment(it, "rotation").branches = undefined),
  ],
  [
    "an environment for protected branches",
    "environment-branches",
    (it) => (environment(it, "rotation").branches = "protected"),
  ],
  [
    "an environment for another branch too",
    "environment-branches",
    (it) =>
      (environment(it, "rotation").branches = [
        { name: "main", type: "branch" },
        { name: "release/*", type: "branch" },
      ]),
  ],
  [
    "an environment for a tag of the branch's name",
    "environment-branches",
    (it) =>
      (environment(it, "rotation").branches = [
        { name: "main", type: "branch" },
        { name: "main", type: "tag" },
      ]),
  ],
  ["an environment for nobody", "environment-branches", (it) => (environment(it, "rotation").branches = [])],
  ["nobody who approves", "environment-reviewers", (it) => (environment(it, "production").reviewers = 0)],
  [
    "who approves their own",
    "environment-reviewers",
    (it) => (environment(it, "production").preventsSelfReview = false),
  ],
  ["a nightly job that waits", "environment-reviewers", (it) => (environment(it, "rotation").reviewers = 2)],
  ["no identity in the environment", "environment-identity", (it) => (environment(it, "rotation").secrets = [])],
  ["an identity of the repository", "identity-elsewhere", (it) => it.secrets.push("SEALTREE_IDENTITY")],
  [
    "an identity behind a hundred others",
    "identity-elsewhere",
    (it) => it.secrets.push(...Array.from({ length: 120 }, (_, i) => `OTHER_${i}`), "SEALTREE_IDENTITY"),
  ],
  ["a credential of the repository", "identity-elsewhere", (it) => it.secrets.push("TEST_TOKEN")],
  ["an old identity of the repository", "identity-elsewhere", (it) => it.secrets.push("SEALTREE_IDENTITY_OLD")],
  ["an identity of the organisation", "identity-elsewhere", (it) => it.organizationSecrets.push("SEALTREE_IDENTITY")],
  ["GitHub Actions off", "actions-enabled", (it) => (it.actions.enabled = false)],
  ["blocked actions", "actions-blocked", (it) => (it.selected.patterns_allowed = [])],
  ["actions that are forbidden by name", "actions-blocked", (it) => it.selected.patterns_allowed.push("!test-maker/*")],
  ["own actions only", "actions-blocked", (it) => (it.actions.allowed_actions = "local_only")],
  ["everybody's actions", "actions-allowed", (it) => (it.actions.allowed_actions = "all")],
  ["actions by tag", "actions-pinning", (it) => (it.actions.sha_pinning_required = false)],
  ["a token that writes", "token-permissions", (it) => (it.token.default_workflow_permissions = "write")],
  [
    "workflows that open no pull requests",
    "token-pull-requests",
    (it) => (it.token.can_approve_pull_request_reviews = false),
  ],
  [
    "forks of whoever has an account",
    "fork-approval",
    (it) => (it.forkApproval = "first_time_contributors_new_to_github"),
  ],
  [
    "another workflow in place of ours",
    "workflow-files",
    (it) => it.files.set(".github/workflows/secrets-rotation.yml", "on: push\njobs: {}\n"),
  ],
  [
    "a workflow that GitHub turned off",
    "workflow-state",
    (it) => it.workflows.set(".github/workflows/secrets-rotation.yml", "disabled_inactivity"),
  ],
  ["a workflow that does not run", "workflow-state", (it) => it.workflows.clear()],
  ["a fork", "workflow-schedule", (it) => (it.repository["fork"] = true)],
  [
    "an action by its tag",
    "workflow-pinned",
    addWorkflow("on: push\njobs: { a: { steps: [{ uses: other/action@v4 }] } }\n"),
  ],
  [
    "a pull request checked out where secrets are",
    "workflow-foreign-code",
    addWorkflow(
      `on: pull_request_target\njobs: { a: { steps: [{ uses: actions/checkout@${testCommit}, with: { ref: "\${{ github.head_ref }}" } }] } }\n`,
    ),
  ],
  [
    "an identity in a job without an environment",
    "workflow-identity",
    addWorkflow("on: push\njobs: { a: { steps: [{ run: x, env: { K: '${{ secrets.SEALTREE_IDENTITY }}' } }] } }\n"),
  ],
  ["a rule for rotation's branch", "rotation-branch", (it) => it.rulesets.push(lockOf("sealtree/rotation"))],
  [
    "a rule for pushes of our files",
    "rotation-branch",
    (it) =>
      it.rulesets.push({
        ...lockOf(""),
        target: "push",
        rules: [{ type: "file_path_restriction", parameters: { restricted_file_paths: ["secrets/**"] } }],
      }),
  ],
];

function lockOf(branch: string) {
  const rules = [{ type: "creation" }];
  return { id: 42, target: "branch" as const, enforcement: "active" as const, branches: [branch], rules, bypass: [] };
}

describe("one setting alone that is not right", () => {
  it.each(broken)("is found, and nothing else is: %s", async (_what, rule, change) => {
    const findings = await inspect({ change });
    expect(wrong(findings)).toEqual([`${rule} missing`]);
    const [found] = findings.filter(({ state }) => state !== "ok");
    expect(found?.hint).toMatch(/./);
    expect(failsSettings(findings, false)).toBe(found?.severity === "error");
  });

  it("has a case for every rule but two that have their own below", () => {
    const covered = new Set(broken.map(([, rule]) => rule));
    const others = Object.keys(settingRules).filter((rule) => !covered.has(rule));
    expect(others).toEqual(["fork-secrets", "workflow-branch"]);
  });

  it.each([
    ["send_secrets_and_variables", "secrets"],
    ["send_write_tokens_to_workflows", "a token that writes"],
  ])("is found in a private repository: %s", async (setting, what) => {
    const findings = await inspect({
      change(state) {
        isPrivate(state);
        state.privateForks["run_workflows_from_fork_pull_requests"] = true;
        state.privateForks[setting] = true;
      },
    });
    expect(wrong(findings)).toEqual(["fork-secrets missing"]);
    expect(findings.find(({ rule }) => rule === "fork-secrets")?.message).toContain(what);
  });

  it("is an error where the policy requires signatures, and a warning elsewhere: squash merging", async () => {
    const change = (state: GithubSettingsState) => {
      dropRule("pull_request")(state);
      state.merge.allow_squash_merge = true;
    };
    const severityOf = (findings: readonly SettingFinding[]) =>
      findings.find(({ rule }) => rule === "branch-merge-methods")?.severity;
    expect(severityOf(await inspect({ change }))).toBe("error");
    await started?.stop();
    expect(severityOf(await inspect({ change, want: (wants) => ({ ...wants, signing: "off" }) }))).toBe("warning");
  });

  it("is found when classic protection leaves administrators out of it", async () => {
    const findings = await inspect({
      change(state) {
        state.rulesets = [];
        state.protection = classic({ enforce_admins: { url: "https://api.github.com/", enabled: false } });
      },
    });
    expect(wrong(findings)).toEqual(["branch-bypass missing"]);
  });

  it("is found when rotation pushes to a branch that takes pull requests alone", async () => {
    const change = (state: GithubSettingsState) => void (state.token.can_approve_pull_request_reviews = false);
    expect(wrong(await inspect({ change, want: direct }))).toEqual(["rotation-branch missing"]);
  });

  it("is found when rotation pushes to a branch that classic protection keeps it from", async () => {
    const change = (state: GithubSettingsState) => {
      state.rulesets = [];
      state.protection = classic({});
      state.token.can_approve_pull_request_reviews = false;
    };
    expect(wrong(await inspect({ change, want: direct }))).toEqual(["rotation-branch missing"]);
  });

  it("is found when workflows may approve pull requests and none of ours opens one", async () => {
    const findings = await inspect({
      want: (wants) => ({ ...wants, rotation: undefined, workflows: [] }),
    });
    expect(wrong(findings)).toEqual(["token-pull-requests missing"]);
    expect(failsSettings(findings, false)).toBe(false);
    expect(failsSettings(findings, true)).toBe(true);
  });

  it("does not count a ruleset that is tried out", async () => {
    const findings = await inspect({
      change(state) {
        for (const ruleset of state.rulesets) ruleset.enforcement = "evaluate";
      },
    });
    expect(wrong(findings)).toContain("branch-pull-request missing");
    expect(wrong(findings)).toContain("branch-force-push missing");
  });

  it("says why the policy gives no code owners", async () => {
    const want = (wants: SettingWants): SettingWants => ({
      ...wants,
      codeowners: { problem: "no admin has a GitHub name", hint: "set github: NAME" },
    });
    const findings = await inspect({ want });
    expect(wrong(findings)).toEqual(["codeowners-file missing"]);
    expect(findings.find(({ rule }) => rule === "codeowners-file")).toMatchObject({ hint: "set github: NAME" });
  });

  it("accepts a newer release of an action in a workflow, and owners beside ours", async () => {
    const findings = await inspect({
      change(state) {
        const path = ".github/workflows/secrets-rotation.yml";
        const text = state.files.get(path) ?? "";
        state.files.set(path, text.replaceAll(`${testCommit} # v7.0.1`, `${"ab".repeat(20)} # v8.0.0`));
        const owners = ["docs/ @test-writer", "# sealtree: begin", ...rightOwners, "# sealtree: end", ""];
        state.files.set(".github/CODEOWNERS", owners.join("\n"));
      },
    });
    expect(wrong(findings)).toEqual([]);
  });

  it("is that the default branch has another name", async () => {
    const findings = await inspect({ want: (wants) => ({ ...wants, branch: "trunk" }) });
    expect(wrong(findings)).toEqual(["workflow-branch missing"]);
  });

  it("asks nothing of organisations for a repository of a person", async () => {
    const change = (state: GithubSettingsState) =>
      void (state.repository["owner"] = { login: "test-owner", id: 3, type: "User" });
    expect(wrong(await inspect({ change }))).toEqual([]);
    expect(started?.requests.some((request) => request.includes("organization-secrets"))).toBe(false);
  });
});

describe("a token that may not see everything", () => {
  const all: readonly (readonly [SettingRight, readonly SettingRule[]])[] = [
    [
      "administration",
      [
        "secret-scanning",
        "push-protection",
        "actions-enabled",
        "actions-blocked",
        "actions-allowed",
        "actions-pinning",
        "token-permissions",
        "token-pull-requests",
        "fork-approval",
      ],
    ],
    ["administration:write", ["branch-bypass"]],
    [
      "contents",
      [
        "codeowners-file",
        "codeowners-errors",
        "codeowners-order",
        "workflow-files",
        "workflow-state",
        "workflow-pinned",
        "workflow-foreign-code",
        "workflow-identity",
      ],
    ],
    [
      "actions",
      ["environment-exists", "environment-branches", "environment-exists", "environment-branches", "workflow-state"],
    ],
    ["environments", ["environment-identity", "environment-identity"]],
    ["secrets", ["identity-elsewhere"]],
  ];

  it.each(all)("makes unknown what %s shows, with the right that is lacking", async (right, rules) => {
    const findings = await inspect({ change: (state) => void state.rights.delete(right) });
    expect(wrong(findings)).toEqual(rules.map((rule) => `${rule} unknown`));
    const hints = findings
      .filter(({ state }) => state === "unknown")
      .map(({ message, hint }) => `${message} ${hint ?? ""}`);
    const [name = ""] = right.split(":");
    for (const hint of hints) expect(hint.toLowerCase()).toContain(name);
  });

  it("fails, where an error is not known", async () => {
    const findings = await inspect({ change: (state) => void state.rights.delete("secrets") });
    expect(failsSettings(findings, false)).toBe(true);
  });

  it("makes unknown what neither a ruleset nor what it sees of classic protection asks for", async () => {
    const findings = await inspect({
      change(state) {
        state.rulesets = [];
        state.protection = classic({});
        state.rights.delete("administration");
      },
    });
    const ofBranch = wrong(findings).filter((it) => it.startsWith("branch-"));
    expect(ofBranch).toHaveLength(9);
    expect(ofBranch.every((it) => it.endsWith(" unknown"))).toBe(true);
  });

  it("leaves the ways to merge unknown without Contents: write, unless a rule says them", async () => {
    const without = (state: GithubSettingsState) => void state.rights.delete("contents:write");
    expect(wrong(await inspect({ change: without }))).toEqual(["branch-merge-methods unknown"]);
  });

  it("is told that the plan may have no rules, where the repository is seen and its rules are not", async () => {
    const before = (fake: FakeGithubSettings) =>
      fake.failNext("GET /repos/{owner}/{repo}/rules/branches/{branch}", { status: 403, json: { message: "Upgrade" } });
    const findings = await inspect({ change: isPrivate, before });
    const unknown = findings.filter(({ state }) => state === "unknown");
    expect(unknown.map(({ rule }) => rule)).toContain("branch-pull-request");
    for (const { message } of unknown) expect(message).toContain("need a plan that has them");
  });

  it("is told so when it sees nothing of the repository, by a failure", async () => {
    const change = (state: GithubSettingsState) => void (state.repository = {});
    const before = (fake: FakeGithubSettings) => fake.failNext("GET /repos/{owner}/{repo}", { status: 404 });
    await expect(inspect({ change, before })).rejects.toMatchObject({ class: "auth" });
  });

  it("never finds the token in what it says, whatever it may not see and wherever the token stands", async () => {
    const rights: readonly SettingRight[] = [...rightState().rights];
    const places: readonly ((state: GithubSettingsState) => void)[] = [
      (state) => void state.secrets.push(token, `SEALTREE_IDENTITY_${token}`),
      (state) => void state.organizationSecrets.push(`SEALTREE_IDENTITY_${token}`),
      (state) => void (environment(state, "rotation").branches = [{ name: token, type: "tag" }]),
      (state) => void state.files.set(`.github/workflows/${token}.yml`, `on: push\njobs: {a: {uses: x/y@${token}}}\n`),
      (state) => void state.files.set(".github/CODEOWNERS", `* @${token}\n`),
      (state) => void (state.actions.allowed_actions = "local_only"),
      (state) => void (state.selected.patterns_allowed = [token]),
      (state) => void state.rulesets.push(lockOf(token)),
    ];
    await fc.assert(
      fc.asyncProperty(fc.subarray([...rights]), fc.subarray([...places]), async (lacking, chosen) => {
        const findings = await inspect({
          change(state) {
            for (const right of lacking) state.rights.delete(right);
            for (const place of chosen) place(state);
          },
        });
        await started?.stop();
        expect(JSON.stringify(findings)).not.toContain(token);
      }),
      { numRuns: 30 },
    );
  });

  it("never puts the token, nor what GitHub said, into a finding", async () => {
    const findings = await inspect({ change: (state) => state.rights.clear() });
    expect(wrong(findings).length).toBeGreaterThan(20);
    expect(JSON.stringify(findings)).not.toContain(token);
    expect(JSON.stringify(findings)).not.toContain("accessible");
  });
});

describe("a GitHub that fails", () => {
  it.each([
    ["GET /repos/{owner}/{repo}/rules/branches/{branch}", { status: 500, json: { message: token } }],
    ["GET /repos/{owner}/{repo}/environments", { status: 502 }],
    ["GET /repos/{owner}/{repo}/actions/permissions", { status: 200, json: { enabled: "perhaps" } }],
    ["GET /repos/{owner}/{repo}/actions/secrets", "lost answer"],
    ["GET /repos/{owner}/{repo}/rulesets/{ruleset_id}", { status: 429 }],
    ["GET /repos/{owner}/{repo}/contents/{path}", { status: 403, json: {}, headers: { "x-ratelimit-remaining": "0" } }],
  ] as const)("leaves unknown what it was asked by %s", async (operation, fault) => {
    const findings = await inspect({ before: (fake) => fake.failNext(operation, fault) });
    const unknown = findings.filter(({ state }) => state !== "ok");
    expect(unknown.length).toBeGreaterThan(0);
    for (const { state, message, hint } of unknown) {
      expect(state).toBe("unknown");
      expect(message).toMatch(/^not known: /);
      expect(message).not.toContain(token);
      expect(hint).toBe("run it again");
    }
  });
});
