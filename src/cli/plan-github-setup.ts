import type { DeployPolicy } from "../deploy/policy.ts";
import { planSetup, readPresentSetup, type PlannedWorkflow } from "../github/plan-setup.ts";
import type { SetupOptions } from "../github/setup-options.ts";
import type { Tree } from "../store/tree.ts";
import type { Context } from "./context.ts";
import { resolveAction, resolveChoices } from "./github-choices.ts";

/** What the workflows of a tree should be. */
export interface GithubSetup {
  readonly setup: SetupOptions;
  readonly files: readonly PlannedWorkflow[];
  /** Whether the policy wants signed commits. */
  readonly signs: boolean;
  /** Whether policies/rotation.yaml has a rule for a secret. */
  readonly rotates: boolean;
}

/**
 * Plans the workflows from the options, the files that are there and the policies. Throws E_USAGE,
 * E_NOT_INITIALISED and what a policy throws.
 */
export async function planGithubSetup(
  context: Context,
  options: Readonly<Record<string, unknown>>,
  tree: Tree,
): Promise<GithubSetup> {
  const [{ loadPolicy }, { loadDeployPolicy }, { loadRotationPolicy }, { deployNeedsOf, rotationNeedsOf }] =
    await Promise.all([
      import("../access/policy.ts"),
      import("../deploy/policy.ts"),
      import("../rotation/policy.ts"),
      import("./github-needs.ts"),
    ]);
  const policy = await loadPolicy(tree);
  const present = await readPresentSetup(tree);
  const choices = await resolveChoices(context, options, present);
  const deploy: DeployPolicy = await loadDeployPolicy(tree);
  const rotation = await loadRotationPolicy(tree);
  const setup: SetupOptions = {
    ...choices,
    action: resolveAction(options, present),
    rotationNeeds: rotationNeedsOf(rotation, deploy),
    deployNeeds:
      deploy.targets.size === 0
        ? undefined
        : new Map(choices.environments.map((it) => [it.name, deployNeedsOf(deploy, it)] as const)),
  };
  return {
    setup,
    files: await planSetup(tree, setup, present.pins),
    signs: policy.signing !== "off",
    rotates: rotation.secrets.size > 0,
  };
}
