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

/** What the jobs of a workflow do with the targets of their environments. */
export interface TargetJobs {
  readonly command: "deploy" | "drift";
  /** A permission, with what it is for. */
  readonly permission: string;
  readonly step: string;
  /** Besides the command and the targets, as they stand after the colon. */
  readonly inputs?: Readonly<Record<string, string>>;
}

/** A job for each environment, with the identity of that alone. */
export function printTargetJobs(plan: WorkflowPlan, jobs: TargetJobs): string {
  return plan.environments.map((environment) => printJob(plan, jobs, environment)).join("\n");
}

function printJob(
  plan: WorkflowPlan,
  { command, permission, step, inputs = {} }: TargetJobs,
  { name, targets }: DeployEnvironment,
): string {
  const needs = plan.deployNeeds?.get(name) ?? noNeeds;
  return `  ${jobId(command, name)}:
    name: ${command} ${name}
    runs-on: ${image}
    timeout-minutes: 30
    environment: ${name}
${printPermissions([permission], needs)}
    steps:
${checkoutStep(plan)}
${actionStep(plan.action, {
  name: step,
  inputs: { command, ...(targets.length === 0 ? {} : { targets: targets.join(" ") }), ...inputs },
  env: [identityVariable, tokenVariable, ...credentialVariables(needs)],
})}
`;
}

/** A job's id from an environment's name: letters, digits, `_` and `-`. */
function jobId(prefix: string, environment: string): string {
  return `${prefix}-${environment.replaceAll(".", "_")}`;
}
