import { startDescribedApi, type ApiCall, type ApiReply, type DescribedApi } from "./described-api.ts";

/** What a token may do; an administrator's has all. */
export type SettingRight =
  | "contents"
  | "contents:write"
  | "administration"
  | "administration:write"
  | "actions"
  | "environments"
  | "secrets";

export interface HeldRuleset {
  readonly id: number;
  target: "branch" | "tag" | "push";
  enforcement: "active" | "evaluate" | "disabled";
  /** Names of branches; `~DEFAULT_BRANCH`, `~ALL`. */
  branches: string[];
  rules: { type: string; parameters?: Record<string, unknown> }[];
  bypass: { actor_id: number | null; actor_type: string; bypass_mode: string }[];
}

export interface HeldEnvironment {
  /** Undefined for all branches; `protected` for the protected ones. */
  branches: { name: string; type: string }[] | "protected" | undefined;
  reviewers: number;
  preventsSelfReview: boolean;
  secrets: string[];
}

/** The settings of `test-owner/test-name`, all of which a test may change. */
export interface GithubSettingsState {
  rights: Set<SettingRight>;
  repository: Record<string, unknown>;
  analysis: { secret_scanning: { status: string }; secret_scanning_push_protection: { status: string } };
  merge: { allow_merge_commit: boolean; allow_squash_merge: boolean; allow_rebase_merge: boolean };
  rulesets: HeldRuleset[];
  /** Classic protection of the default branch, as GitHub answers it. */
  protection: Record<string, unknown> | undefined;
  /** Files of the default branch by path. */
  files: Map<string, string>;
  codeownersErrors: number[];
  environments: Map<string, HeldEnvironment>;
  secrets: string[];
  organizationSecrets: string[];
  actions: { enabled: boolean; allowed_actions: string; sha_pinning_required?: boolean };
  selected: { github_owned_allowed: boolean; verified_allowed: boolean; patterns_allowed: string[] };
  token: { default_workflow_permissions: string; can_approve_pull_request_reviews: boolean };
  forkApproval: string;
  privateForks: Record<string, boolean>;
  /** States of the workflows by path. */
  workflows: Map<string, string>;
}

export interface FakeGithubSettings extends DescribedApi {
  readonly state: GithubSettingsState;
}

/** What a token needs for an operation; whoever has none of it is refused. */
const needs: Readonly<Record<string, SettingRight>> = {
  "/branches/{branch}/protection": "administration",
  "/codeowners/errors": "contents",
  "/contents/{path}": "contents",
  "/environments": "actions",
  "/environments/{environment_name}/deployment-branch-policies": "actions",
  "/environments/{environment_name}/secrets": "environments",
  "/actions/secrets": "secrets",
  "/actions/organization-secrets": "secrets",
  "/actions/permissions": "administration",
  "/actions/permissions/selected-actions": "administration",
  "/actions/permissions/workflow": "administration",
  "/actions/permissions/fork-pr-contributor-approval": "administration",
  "/actions/permissions/fork-pr-workflows-private-repos": "administration",
  "/actions/workflows": "actions",
};

/**
 * The settings of a repository as GitHub shows them, by its published OpenAPI description. Refusals repeat
 * the token, as no server should.
 */
export async function startFakeGithubSettings(state: GithubSettingsState): Promise<FakeGithubSettings> {
  const api = await startDescribedApi({
    description: "github-settings",
    headers: {
      authorization: /^Bearer \S+$/,
      accept: /^application\/vnd\.github\+json$/,
      "x-github-api-version": /^2022-11-28$/,
      "user-agent": /./,
    },
    answer(call): ApiReply {
      const { params, operation } = call;
      const token = call.header("authorization") ?? "";
      if (params["owner"] !== "test-owner" || params["repo"] !== "test-name") return refusal(404, token);
      const path = operation.replace("GET /repos/{owner}/{repo}", "");
      const right = needs[path];
      if (right !== undefined && !state.rights.has(right))
        return refusal(right === "administration" ? 404 : 403, token);
      const found = answers[path]?.(state, call);
      return found === undefined ? refusal(404, token) : found;
    },
  });
  return { ...api, state };
}

type Answer = (state: GithubSettingsState, call: ApiCall) => ApiReply | undefined;

const answers: Readonly<Record<string, Answer>> = {
  "": ({ repository, analysis, merge, rights }) =>
    ok({
      ...repository,
      ...(rights.has("contents:write") ? merge : {}),
      ...(rights.has("administration") ? { security_and_analysis: analysis } : {}),
    }),
  "/rules/branches/{branch}": (state, { params, query }) => {
    const { branch = "" } = params;
    const isDefault = branch === state.repository["default_branch"];
    const matches = (name: string) => name === "~ALL" || name === branch || (name === "~DEFAULT_BRANCH" && isDefault);
    const rules = state.rulesets
      .filter((it) => it.target === "branch" && it.enforcement === "active" && it.branches.some(matches))
      .flatMap(({ id, rules: own }) =>
        own.map((rule) => ({
          ...rule,
          ruleset_source_type: "Repository",
          ruleset_source: "test-owner/test-name",
          ruleset_id: id,
        })),
      );
    return ok(pageOf(rules, query));
  },
  "/rulesets": ({ rulesets }, { query }) => {
    const targets = query.get("targets")?.split(",");
    const listed = rulesets.filter(({ target }) => targets?.includes(target) ?? true);
    return ok(pageOf(listed, query).map(({ id, target, enforcement }) => ({ ...sourceOf(id), target, enforcement })));
  },
  "/rulesets/{ruleset_id}": ({ rulesets, rights }, { params }) => {
    const found = rulesets.find(({ id }) => String(id) === params["ruleset_id"]);
    if (found === undefined) return undefined;
    const { id, target, enforcement, rules, bypass } = found;
    const shown = rights.has("administration:write") ? { bypass_actors: bypass } : {};
    return ok({ ...sourceOf(id), target, enforcement, rules, ...shown });
  },
  "/branches/{branch}/protection": ({ protection, repository }, { params }) =>
    protection !== undefined && params["branch"] === repository["default_branch"]
      ? ok(protection)
      : { status: 404, json: { message: "Branch not protected", status: "404" } },
  "/codeowners/errors": ({ codeownersErrors, files }) => {
    if (!files.has(".github/CODEOWNERS")) return undefined;
    const message = "Unknown owner";
    const path = ".github/CODEOWNERS";
    return ok({ errors: codeownersErrors.map((line) => ({ line, column: 1, kind: message, message, path })) });
  },
  "/contents/{path}": ({ files }, { params }) => {
    const { path = "" } = params;
    const text = files.get(path);
    if (text !== undefined) {
      const content = Buffer.from(text).toString("base64").replaceAll(/.{60}/g, "$&\n");
      return ok({ type: "file", encoding: "base64", size: text.length, name: nameOf(path), path, content, sha: "0" });
    }
    const below = [...files.keys()].filter(
      (it) => it.startsWith(`${path}/`) && !it.slice(path.length + 1).includes("/"),
    );
    return below.length === 0 ? undefined : ok(below.map(showEntry));
  },
  "/environments": ({ environments }, { query }) => {
    const all = [...environments].map(([name, it], index) => showEnvironment(name, it, index + 1));
    return ok({ total_count: all.length, environments: pageOf(all, query) });
  },
  "/environments/{environment_name}/deployment-branch-policies": ({ environments }, { params, query }) => {
    const branches = environments.get(params["environment_name"] ?? "")?.branches;
    if (branches === undefined || branches === "protected") return undefined;
    return ok({ total_count: branches.length, branch_policies: pageOf(branches, query) });
  },
  "/environments/{environment_name}/secrets": ({ environments }, { params, query }) => {
    const found = environments.get(params["environment_name"] ?? "");
    return found === undefined ? undefined : showSecrets(found.secrets, query);
  },
  "/actions/secrets": ({ secrets }, { query }) => showSecrets(secrets, query),
  "/actions/organization-secrets": ({ organizationSecrets }, { query }) => showSecrets(organizationSecrets, query),
  "/actions/permissions": ({ actions }) => ok(actions),
  "/actions/permissions/selected-actions": ({ selected, actions }) =>
    actions.allowed_actions === "selected" ? ok(selected) : undefined,
  "/actions/permissions/workflow": ({ token }) => ok(token),
  "/actions/permissions/fork-pr-contributor-approval": ({ forkApproval, repository }) =>
    repository["private"] === true ? undefined : ok({ approval_policy: forkApproval }),
  "/actions/permissions/fork-pr-workflows-private-repos": ({ privateForks, repository }) =>
    repository["private"] === true ? ok(privateForks) : undefined,
  "/actions/workflows": ({ workflows }, { query }) => {
    const all = [...workflows].map(([path, state], index) => ({ id: index + 1, name: nameOf(path), path, state }));
    return ok({ total_count: all.length, workflows: pageOf(all, query) });
  },
};

function showSecrets(names: readonly string[], query: URLSearchParams): ApiReply {
  const time = "2026-01-02T03:04:05Z";
  const all = names.map((name) => ({ name, created_at: time, updated_at: time }));
  return ok({ total_count: all.length, secrets: pageOf(all, query) });
}

function showEnvironment(name: string, held: HeldEnvironment, id: number): object {
  const { branches, reviewers, preventsSelfReview } = held;
  const isProtected = branches === "protected";
  const user = { type: "User", reviewer: { login: "test-reviewer", id: 7, type: "User" } };
  const rule = { id: 10, node_id: "test", type: "required_reviewers", prevent_self_review: preventsSelfReview };
  return {
    id,
    name,
    protection_rules: [
      ...(reviewers === 0 ? [] : [{ ...rule, reviewers: Array.from({ length: reviewers }, () => user) }]),
      ...(branches === undefined ? [] : [{ id: 11, node_id: "test", type: "branch_policy" }]),
    ],
    deployment_branch_policy:
      branches === undefined ? null : { protected_branches: isProtected, custom_branch_policies: !isProtected },
  };
}

function showEntry(path: string): object {
  const links = { git: null, html: null, self: "https://api.github.com/" };
  const urls = { url: links.self, git_url: null, html_url: null, download_url: null, _links: links };
  return { type: "file", size: 1, name: nameOf(path), path, sha: "0", ...urls };
}

function sourceOf(id: number): object {
  return { id, name: `test ${id}`, source_type: "Repository", source: "test-owner/test-name" };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function pageOf<T>(all: readonly T[], query: URLSearchParams): T[] {
  const [size, page] = [Number(query.get("per_page") ?? 30), Number(query.get("page") ?? 1)];
  return all.slice((page - 1) * size, page * size);
}

function ok(json: unknown): ApiReply {
  return { status: 200, json };
}

function refusal(status: number, token: string): ApiReply {
  return { status, json: { message: `Resource not accessible by ${token}` } };
}
