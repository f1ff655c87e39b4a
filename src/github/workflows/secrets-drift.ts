import { scheduleOf } from "../schedule.ts";
import type { DeployEnvironment } from "../setup-options.ts";
import {
  actionStep,
  checkoutStep,
  credentialVariables,
  identityVariable,
  image,
  noNeeds,
  printPermissions,
  tokenVariable,
  type WorkflowPlan,
} from "./parts.ts";
import { jobId } from "./secrets-deploy.ts";

/** Looks once a week whether the targets still hold what the repository says, and changes nothing. */
export function printDriftWorkflow(plan: WorkflowPlan): string {
  return `name: secrets-drift

on:
  schedule:
    - cron: "${scheduleOf(plan.repository, "secrets-drift", "week")}"
  workflow_dispatch:

permissions: {}

concurrency:
  group: secrets-drift
  cancel-in-progress: false

jobs:
${plan.environments.map((environment) => printDriftJob(plan, environment)).join("\n")}`;
}

function printDriftJob(plan: WorkflowPlan, { name, targets }: DeployEnvironment): string {
  const needs = plan.deployNeeds?.get(name) ?? noNeeds;
  return `  ${jobId("drift", name)}:
    name: drift ${name}
    runs-on: ${image}
    timeout-minutes: 30
    environment: ${name}
${printPermissions(["contents: read # to check out, and fetch the receipts of deployments"], needs)}
    steps:
${checkoutStep(plan)}
${actionStep(plan.action, {
  name: "Compare",
  inputs: { command: "drift", ...(targets.length === 0 ? {} : { targets: targets.join(" ") }) },
  env: [identityVariable, tokenVariable, ...credentialVariables(needs)],
})}
`;
}
