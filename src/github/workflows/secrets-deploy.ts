import { expressionOf, type WorkflowPlan } from "./parts.ts";
import { printTargetJobs } from "./target-jobs.ts";

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
${printTargetJobs(plan, {
  command: "deploy",
  permission: "contents: write # to push the receipts of what was sent",
  step: "Deploy",
  inputs: {
    "dry-run": expressionOf("inputs.dry-run"),
    // Without the variable the gate stays shut.
    ...(plan.isGated ? { anchor: expressionOf("vars.SEALTREE_ANCHOR || 'missing'") } : {}),
  },
})}`;
}
