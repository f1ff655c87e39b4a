import { planCodeowners } from "../access/codeowners.ts";
import { loadPolicy, type Policy } from "../access/policy.ts";
import { isSealtreeError, usageError } from "../errors.ts";
import { listUses } from "../github/pinned-actions.ts";
import type { SettingWants, WantedWorkflow } from "../github/settings/wants.ts";
import { rotationEnvironment } from "../github/workflows/secrets-rotation.ts";
import { linesOfBlock } from "../store/marked-block.ts";
import type { Tree } from "../store/tree.ts";
import type { GithubSetup } from "./plan-github-setup.ts";
import { secretsOf, type EnvironmentSecrets } from "./report-github-setup.ts";

/** The check that the workflow secrets-check reports: the name of its job. */
export const requiredCheck = "secrets";

/** Where the Action records rotations for a pull request. */
const rotationBranch = "sealtree/rotation";

export interface WantsOptions {
  readonly api: string;
  /** Names of environments whose jobs somebody must approve. */
  readonly reviewed: readonly string[];
}

/**
 * What the repository's settings must be for the policies of a tree and the workflows that were planned for it.
 * Throws E_USAGE for reviewers of an environment that nothing deploys from.
 */
export async function settingWantsOf(tree: Tree, plan: GithubSetup, options: WantsOptions): Promise<SettingWants> {
  const { setup, files, signs } = plan;
  const secrets = secretsOf(setup, signs);
  checkReviewed(options.reviewed, secrets);
  const policy = await loadPolicy(tree);
  const workflows = files.flatMap(({ path, text }): WantedWorkflow[] =>
    text === undefined ? [] : [{ path, text, isScheduled: /^ {2}schedule:/m.test(text) }],
  );
  const uses = workflows.flatMap(({ text }) => listUses(text)).map(({ name, commit }) => `${name}@${commit}`);
  const isReviewed = (name: string) => options.reviewed.some((it) => it.toLowerCase() === name.toLowerCase());
  return {
    api: options.api,
    branch: setup.branch,
    signing: policy.signing,
    checks: [requiredCheck],
    codeowners: await wantedOwners(tree, policy),
    environments: secrets.map(({ environment, names }) => ({
      name: environment,
      secrets: names,
      reviewers: environment === rotationEnvironment ? "none" : isReviewed(environment) ? "required" : "any",
    })),
    workflows,
    actions: [...new Set(uses)],
    rotation: {
      branch: setup.rotation === "pull-request" ? rotationBranch : undefined,
      usesJobToken: setup.login === "token",
      hasHeartbeat: workflows.some(({ path }) => path.endsWith("/secrets-heartbeat.yml")),
    },
  };
}

function checkReviewed(reviewed: readonly string[], environments: readonly EnvironmentSecrets[]): void {
  const names = environments.map(({ environment }) => environment).filter((it) => it !== rotationEnvironment);
  const known = new Set(names.map((it) => it.toLowerCase()));
  if (reviewed.every((it) => known.has(it.toLowerCase()))) return;
  throw usageError(
    "nothing deploys from an environment that --reviewed names",
    names.length === 0 ? "--environment NAME deploys from one" : `--reviewed NAME, of ${names.join(", ")}`,
    "rotation runs at night, when nobody can approve",
  );
}

/** A policy that gives no code owners is a finding, not a failure. */
async function wantedOwners(tree: Tree, policy: Policy): Promise<SettingWants["codeowners"]> {
  try {
    const { text } = await planCodeowners(tree, policy);
    return { block: linesOfBlock(text) ?? [] };
  } catch (error) {
    if (!isSealtreeError(error)) throw error;
    return { problem: error.message, hint: error.hints[0] ?? "sealtree codeowners" };
  }
}
