import type { DeployEnvironment } from "../setup-options.ts";
import {
  actionStep,
  checkoutStep,
  credentialVariables,
  expressionOf,
  identityVariable,
  image,
  noNeeds,
  printPermissions,
  tokenVariable,
  type WorkflowPlan,
} from "./parts.ts";

/** Brings the targets in order with what was merged: a job for each environment, with the identity of that alone. */
export function printDeployWorkflow(plan: WorkflowPlan): string {
  return `name: secrets-deploy

on:
  push:
    branches: [${plan.branch}]
    paths: ["secrets/**", "policies/deploy.yaml"]
  workflow_dispatch:
    inputs:
      dry-run:
        description: Only say what would be sent
        type: boolean
        default: false

permissions: {}

concurrency:
  group: secrets-deploy
  cancel-in-progress: false
  queue: max # what waits is not pushed out by a run that only looks

jobs:
${plan.environments.map((environment) => printDeployJob(plan, environment)).join("\n")}`;
}

function printDeployJob(plan: WorkflowPlan, { name, targets }: DeployEnvironment): string {
  const needs = plan.deployNeeds?.get(name) ?? noNeeds;
  return `  ${jobId("deploy", name)}:
    name: deploy ${name}
    runs-on: ${image}
    timeout-minutes: 30
    environment: ${name}
${printPermissions(["contents: write # to push the receipts of what was sent"], needs)}
    steps:
${checkoutStep(plan)}
${actionStep(plan.action, {
  name: "Deploy",
  inputs: {
    command: "deploy",
    ...(targets.length === 0 ? {} : { targets: targets.join(" ") }),
    "dry-run": expressionOf("inputs.dry-run"),
    // Without the variable the gate stays shut.
    ...(plan.isGated ? { anchor: expressionOf("vars.SEALTREE_ANCHOR || 'missing'") } : {}),
  },
  env: [identityVariable, tokenVariable, ...credentialVariables(needs)],
})}
`;
}

/** A job's id from an environment's name: letters, digits, `_` and `-`. */
export function jobId(prefix: string, environment: string): string {
  return `${prefix}-${environment.replaceAll(".", "_")}`;
}
