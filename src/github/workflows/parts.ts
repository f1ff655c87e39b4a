import { printUse, type ActionPins, type PinnedAction } from "../pinned-actions.ts";
import type { JobNeeds, SetupOptions } from "../setup-options.ts";

/** What a workflow is printed from. */
export interface WorkflowPlan extends SetupOptions {
  readonly pins: ActionPins;
}

/** The image that jobs run on: a fixed one, because `latest` becomes another some day. */
export const image = "ubuntu-24.04";

/** The variable of a step, and the expression that it has. */
export type StepVariable = readonly [name: string, expression: string];

/** The identity of the job's environment. */
export const identityVariable: StepVariable = ["SEALTREE_IDENTITY", "secrets.SEALTREE_IDENTITY"];
/** The key that rotation signs its commits with; a repository that wants no signatures has no such secret. */
export const signingVariable: StepVariable = ["SEALTREE_SIGNING_KEY", "secrets.SEALTREE_SIGNING_KEY"];
/** The token that GitHub makes for the job, with the job's permissions. */
export const tokenVariable: StepVariable = ["GITHUB_TOKEN", "github.token"];
const appVariables: readonly StepVariable[] = [
  ["SEALTREE_APP_ID", "vars.SEALTREE_APP_ID"],
  ["SEALTREE_APP_PRIVATE_KEY", "secrets.SEALTREE_APP_PRIVATE_KEY"],
];

/** What a step that speaks to GitHub signs in with. */
export function loginVariables({ login }: SetupOptions): readonly StepVariable[] {
  return login === "app" ? appVariables : [tokenVariable];
}

/** Credentials, each from the secret of its name. */
export function credentialVariables({ variables }: JobNeeds): StepVariable[] {
  return variables.filter((name) => !reserved.test(name)).map((name) => [name, `secrets.${name}`]);
}

/** What the step has for other reasons, and names that no secret of GitHub can have. */
const reserved = /^(?:SEALTREE_|GITHUB_|ACTIONS_|RUNNER_)/;

/** The permissions of a job, as a block; what the needs ask for is added. */
export function printPermissions(permissions: readonly string[], { identityToken }: JobNeeds = noNeeds): string {
  const all = [...permissions, ...(identityToken ? ["id-token: write # to sign in as this job"] : [])];
  return ["    permissions:", ...all.map((line) => `      ${line}`)].join("\n");
}

/** Of a job that no policy names a credential for. */
export const noNeeds: JobNeeds = { variables: [], identityToken: false };

/** The step that checks the repository out, with its whole history or without, and leaves no token behind. */
export function checkoutStep({ pins }: WorkflowPlan, depth: "history" | "tip" = "history"): string {
  return [
    `      - name: Check out${depth === "history" ? " with the history" : ""}`,
    `        uses: ${printUse(pins.checkout)}`,
    "        with:",
    ...(depth === "history" ? ["          fetch-depth: 0"] : []),
    "          persist-credentials: false",
  ].join("\n");
}

export interface ActionStep {
  readonly name: string;
  readonly id?: string;
  /** A condition, as it stands after `if:`. */
  readonly when?: string;
  /** Inputs, as they stand after the colon. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly env?: readonly StepVariable[];
}

/** A step with our Action. */
export function actionStep(action: PinnedAction, { name, id, when, inputs, env = [] }: ActionStep): string {
  return [
    `      - name: ${name}`,
    ...(id === undefined ? [] : [`        id: ${id}`]),
    ...(when === undefined ? [] : [`        if: ${when}`]),
    `        uses: ${printUse(action)}`,
    "        with:",
    ...Object.entries(inputs).map(([input, value]) => `          ${input}: ${value}`),
    ...(env.length === 0 ? [] : ["        env:"]),
    ...env.map(([variable, expression]) => `          ${variable}: ${expressionOf(expression)}`),
  ].join("\n");
}

/** `${{ expression }}` */
export function expressionOf(expression: string): string {
  return `\${{ ${expression} }}`;
}
