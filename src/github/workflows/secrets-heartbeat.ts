import { scheduleOf } from "../schedule.ts";
import { actionStep, checkoutStep, image, printPermissions, tokenVariable, type WorkflowPlan } from "./parts.ts";

/** Looks every day whether rotation still runs, and turns its schedule on again when GitHub turned it off. */
export function printHeartbeatWorkflow(plan: WorkflowPlan): string {
  return printHeartbeat(plan, "secrets-heartbeat", [
    "  schedule:",
    `    - cron: "${scheduleOf(plan.repository, "secrets-heartbeat", "day")}"`,
    "  workflow_dispatch:",
  ]);
}

/**
 * The same with every push, in a file of its own: where GitHub turns a schedule off, the whole file
 * stops with it.
 */
export function printPushHeartbeatWorkflow(plan: WorkflowPlan): string {
  return printHeartbeat(plan, "secrets-heartbeat-push", ["  push:", `    branches: [${plan.branch}]`]);
}

function printHeartbeat(plan: WorkflowPlan, name: string, on: readonly string[]): string {
  const permissions = [
    "contents: read # to check out",
    "actions: write # to turn a schedule on again",
    "issues: write # to say what is late",
  ];
  return `name: ${name}

on:
${on.join("\n")}

permissions: {}

concurrency:
  group: ${name}
  cancel-in-progress: false

jobs:
  heartbeat:
    name: heartbeat
    runs-on: ${image}
    timeout-minutes: 10
${printPermissions(permissions)}
    steps:
${checkoutStep(plan, "tip")}
${actionStep(plan.action, {
  name: "Look whether rotation runs",
  inputs: { command: "heartbeat", workflows: "secrets-rotation.yml secrets-heartbeat.yml", issue: '"true"' },
  env: [tokenVariable],
})}
`;
}
