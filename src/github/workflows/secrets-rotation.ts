import { scheduleOf } from "../schedule.ts";
import {
  actionStep,
  checkoutStep,
  credentialVariables,
  expressionOf,
  identityVariable,
  image,
  loginVariables,
  printPermissions,
  signingVariable,
  type WorkflowPlan,
} from "./parts.ts";

/** An emergency is over when the old credential has ended, and with a pull request that is after the merge. */
const directInput = `      direct:
        description: Push to the default branch at once, without a pull request
        type: boolean
        default: false
`;

/** The environment of GitHub that has the identity of rotation. */
export const rotationEnvironment = "rotation";

/**
 * Rotates what is due every night, and by hand whatever is named. A file of its own, because GitHub turns a
 * schedule off with its whole workflow. What is asked for by hand reaches the Action as inputs and no script.
 */
export function printRotationWorkflow(plan: WorkflowPlan): string {
  const { action, repository, rotation, login, rotationNeeds } = plan;
  const byPullRequest = rotation === "pull-request";
  const permissions =
    login === "app"
      ? ["contents: read # to check out; the rest is done by the App"]
      : [
          "contents: write # to push what was rotated, and the records of deliveries",
          "issues: write # for what has to be rotated by hand",
          ...(byPullRequest ? ["pull-requests: write # to propose what was rotated"] : []),
        ];
  return `name: secrets-rotation

on:
  schedule:
    - cron: "${scheduleOf(repository, "secrets-rotation", "day")}"
  workflow_dispatch:
    inputs:
      scopes:
        description: A scope or an address, due or not; what is due without
        type: string
        required: false
      emergency:
        description: The values may be known to others, so nothing waits for its day
        type: boolean
        default: false
      reason:
        description: Why, kept in the history; no secrets here
        type: string
        required: false
      keep-grace:
        description: In an emergency let the old values live as long as the policy says
        type: boolean
        default: false
      dry-run:
        description: Only say what would be done
        type: boolean
        default: false
${byPullRequest ? directInput : ""}
permissions: {}

concurrency:
  group: secrets-rotation
  cancel-in-progress: false
  queue: max # an emergency that waits is not pushed out by the nightly run

jobs:
  rotate:
    name: rotate
    runs-on: ${image}
    timeout-minutes: 60
    environment: ${rotationEnvironment}
${printPermissions(permissions, rotationNeeds)}
    steps:
${checkoutStep(plan)}
${actionStep(action, {
  name: "Rotate",
  inputs: {
    command: "rotate",
    scopes: expressionOf("inputs.scopes"),
    emergency: expressionOf("inputs.emergency"),
    reason: expressionOf("inputs.reason"),
    "keep-grace": expressionOf("inputs.keep-grace"),
    "dry-run": expressionOf("inputs.dry-run"),
    issue: '"true"',
    ...(byPullRequest ? { "pull-request": expressionOf("!inputs.direct") } : {}),
  },
  env: [identityVariable, signingVariable, ...loginVariables(plan), ...credentialVariables(rotationNeeds)],
})}
`;
}
