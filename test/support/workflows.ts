import { parse } from "yaml";

/** A step of a workflow, as far as tests look at it. */
export interface WorkflowStep {
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, string | number | boolean>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface WorkflowJob {
  readonly "runs-on"?: string;
  readonly "timeout-minutes"?: number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly concurrency?: { readonly "cancel-in-progress"?: boolean };
  readonly steps: readonly WorkflowStep[];
}

export interface Workflow {
  readonly name: string;
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: unknown;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress"?: boolean; readonly queue?: string };
  readonly jobs: Readonly<Record<string, WorkflowJob>>;
}

/** A workflow file. Throws for what is no YAML. */
export function parseWorkflow(text: string): Workflow {
  return parse(text) as Workflow;
}

/** Every step of every job, with the job it is in. */
export function listSteps({ jobs }: Workflow): { readonly job: WorkflowJob; readonly step: WorkflowStep }[] {
  return Object.values(jobs).flatMap((job) => job.steps.map((step) => ({ job, step })));
}

/**
 * What the runner makes of a step's inputs: text, expressions as `evaluate` says, empty without it:
 * so is an input of workflow_dispatch on a schedule.
 */
export function inputVariables(
  { with: inputs = {} }: WorkflowStep,
  evaluate: (expression: string) => string = () => "",
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [
      `INPUT_${name.toUpperCase()}`,
      String(value).replaceAll(/\$\{\{ *(.*?) *\}\}/g, (_, expression: string) => evaluate(expression)),
    ]),
  );
}
