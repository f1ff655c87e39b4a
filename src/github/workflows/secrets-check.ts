import { actionStep, checkoutStep, image, printPermissions, type WorkflowPlan } from "./parts.ts";

/** Checks and reviews each pull request, also of a fork: without an identity, and with a token that only reads. */
export function printCheckWorkflow(plan: WorkflowPlan): string {
  const { action } = plan;
  return `name: secrets-check

on:
  pull_request:
  merge_group:

permissions: {}

concurrency:
  group: secrets-check-\${{ github.ref }}
  cancel-in-progress: true

jobs:
  secrets:
    name: secrets
    runs-on: ${image}
    timeout-minutes: 10
${printPermissions(["contents: read # to check out"])}
    steps:
${checkoutStep(plan)}
${actionStep(action, { name: "Check", inputs: { command: "check" } })}
${actionStep(action, { name: "Review", when: "${{ !cancelled() }}", inputs: { command: "review" } })}
`;
}
