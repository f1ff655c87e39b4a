import { scheduleOf } from "../schedule.ts";
import type { WorkflowPlan } from "./parts.ts";
import { printTargetJobs } from "./target-jobs.ts";

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
${printTargetJobs(plan, {
  command: "drift",
  permission: "contents: read # to check out, and fetch the receipts of deployments",
  step: "Compare",
})}`;
}
