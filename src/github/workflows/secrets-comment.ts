import { actionStep, checkoutStep, image, printPermissions, tokenVariable, type WorkflowPlan } from "./parts.ts";

/**
 * Reviews a pull request from its git objects, puts the report into one comment, and sets the check run. It
 * runs from the default branch with a token that writes: nothing of the pull request is checked out or run,
 * and what the run before left behind is not looked at.
 */
export function printCommentWorkflow(plan: WorkflowPlan): string {
  return `name: secrets-comment

on:
  workflow_run:
    workflows: [secrets-check]
    types: [completed]

permissions: {}

concurrency:
  group: secrets-comment-\${{ github.event.workflow_run.head_repository.id }}-\${{ github.event.workflow_run.head_branch }}
  cancel-in-progress: false

jobs:
  comment:
    name: comment
    if: github.event.workflow_run.event == 'pull_request'
    runs-on: ${image}
    timeout-minutes: 10
${printPermissions([
  "contents: read # to check out the default branch and fetch the commits of the pull request",
  "checks: write # to set the verdict",
  "pull-requests: write # to comment",
])}
    steps:
${checkoutStep(plan)}
${actionStep(plan.action, { name: "Comment", inputs: { command: "comment" }, env: [tokenVariable] })}
`;
}
