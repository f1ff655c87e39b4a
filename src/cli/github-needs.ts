import { chooseTargets } from "../deploy/check-deploy.ts";
import type { DeployPolicy } from "../deploy/policy.ts";
import type { DeployEnvironment, JobNeeds } from "../github/setup-options.ts";
import { ruleFor, type RotationPolicy } from "../rotation/policy.ts";
import { bindProvider } from "../rotation/rotators/registry.ts";
import { refusedName } from "../resolve/refused-names.ts";
import { parseAddress } from "../secret/address.ts";
import type { SecretReference } from "../services/secret-reference.ts";

/** What the rotators that rules name need, and all targets, since new values are sent to them at once. */
export function rotationNeedsOf(rotation: RotationPolicy, deploy: DeployPolicy): JobNeeds {
  const rules = [...rotation.secrets.keys()].flatMap((address) => ruleFor(rotation, parseAddress(address)) ?? []);
  return needsOf([
    ...rules.flatMap(({ rotator, options }) => bindProvider(rotator, options)?.references ?? []),
    ...[...deploy.targets.values()].flatMap(({ bound }) => bound.references),
  ]);
}

/** What the targets of an environment need. Throws E_TARGET_NOT_FOUND for one that the policy has not. */
export function deployNeedsOf(policy: DeployPolicy, { targets }: DeployEnvironment): JobNeeds {
  return needsOf(chooseTargets(policy.targets, targets).flatMap(({ bound }) => bound.references));
}

function needsOf(references: readonly SecretReference[]): JobNeeds {
  // What a runner sets itself, such as PATH for a program of a policy, must not become an empty secret.
  const variables = references.flatMap((it) =>
    it.kind === "environment" && refusedName(it.name) === undefined ? [it.name] : [],
  );
  return {
    variables: [...new Set(variables)].toSorted(),
    identityToken: references.some(({ kind }) => kind === "oidc"),
  };
}
