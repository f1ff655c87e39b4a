import type { PlannedWorkflow } from "../github/plan-setup.ts";
import type { SetupOptions } from "../github/setup-options.ts";
import { credentialVariables } from "../github/workflows/parts.ts";
import { rotationEnvironment } from "../github/workflows/secrets-rotation.ts";
import type { Context } from "./context.ts";
import type { GithubSetup } from "./plan-github-setup.ts";
import { count } from "./present.ts";

/** What `github-setup` did, or would do. */
export interface SetupReport extends GithubSetup {
  readonly commit: string | undefined;
  isWritten(file: PlannedWorkflow): boolean;
}

/** Says what became of each file, what an environment of GitHub has to hold, and what is left to think of. */
export function reportSetup(context: Context, report: SetupReport): void {
  const { setup, files, commit } = report;
  const { dryRun, json } = context.options;
  const outcomes = files.map((file) => ({ file, outcome: outcomeOf(file, report.isWritten(file)) }));
  const secrets = secretsOf(setup, report.signs);
  const variables = variablesOf(setup);
  const remarks = [...remarksOf(setup, report), ...targetRemarksOf(setup)];
  if (json) {
    context.json({
      files: outcomes.map(({ file: { path, state }, outcome }) => ({ file: path, state, outcome })),
      secrets,
      variables,
      remarks,
      commit: commit ?? null,
      dry_run: dryRun,
    });
    return;
  }
  for (const { file, outcome } of outcomes) sayOutcome(context, file, outcome);
  if (commit !== undefined) context.say(`committed ${commit.slice(0, 9)}`);
  for (const remark of remarks) context.say(remark);
  for (const { environment, names } of secrets)
    context.say(
      `the environment ${environment} on GitHub has to hold ${count(names.length, "secret")}: ${names.join(", ")}`,
    );
  for (const { environment, names } of variables)
    context.say(`the environment ${environment} on GitHub has to hold the variable ${names.join(", ")}`);
}

type Outcome = "kept" | "written" | "removed" | "left";

function outcomeOf({ state, text }: PlannedWorkflow, isWritten: boolean): Outcome {
  if (state === "same") return "kept";
  if (!isWritten) return "left";
  return text === undefined ? "removed" : "written";
}

function sayOutcome(context: Context, { path, state, text, different }: PlannedWorkflow, outcome: Outcome): void {
  const would = context.options.dryRun ? "would be " : "";
  if (outcome === "written" || outcome === "removed") context.say(`${path}: ${would}${outcome}`);
  if (outcome === "kept" && text !== undefined) context.say(`${path}: is as it should be`);
  if (outcome !== "left") return;
  const why = state === "foreign" ? "was not written by sealtree" : "was changed by hand";
  const { first, last } = different ?? { first: 1, last: 1 };
  const where =
    text === undefined
      ? "and there is no use for it any more"
      : last < first
        ? `and lacks lines at line ${first}`
        : `and differs ${first === last ? `in line ${first}` : `in lines ${first} to ${last}`}`;
  context.say(
    `${path}: ${would === "" ? "is" : "would be"} left as it is: it ${why}, ${where}; --force writes over it`,
  );
}

/** What an environment of GitHub holds. */
export interface EnvironmentSecrets {
  readonly environment: string;
  readonly names: readonly string[];
}

/** What each environment has to hold, the identity first. */
export function secretsOf(setup: SetupOptions, signs: boolean): EnvironmentSecrets[] {
  const { environments, rotationNeeds, deployNeeds, login } = setup;
  const named = (needs: SetupOptions["rotationNeeds"]) => credentialVariables(needs).map(([name]) => name);
  return [
    {
      environment: rotationEnvironment,
      names: [
        "SEALTREE_IDENTITY",
        ...(signs ? ["SEALTREE_SIGNING_KEY"] : []),
        ...(login === "app" ? ["SEALTREE_APP_PRIVATE_KEY"] : []),
        ...named(rotationNeeds),
      ],
    },
    ...environments.flatMap(({ name }) => {
      const needs = deployNeeds?.get(name);
      return needs === undefined ? [] : [{ environment: name, names: ["SEALTREE_IDENTITY", ...named(needs)] }];
    }),
  ];
}

/** The variables that each environment has to hold, where there are any: they are no secrets. */
function variablesOf({ environments, deployNeeds, login, isGated }: SetupOptions): EnvironmentSecrets[] {
  return [
    ...(login === "app" ? [{ environment: rotationEnvironment, names: ["SEALTREE_APP_ID"] }] : []),
    ...environments.flatMap(({ name }) =>
      isGated && deployNeeds?.has(name) === true ? [{ environment: name, names: ["SEALTREE_ANCHOR"] }] : [],
    ),
  ];
}

/** What two environments both bring in order: their jobs would do the same work, each with an identity of its own. */
function targetRemarksOf({ environments, deployNeeds }: SetupOptions): string[] {
  if (deployNeeds === undefined || environments.length < 2) return [];
  const all = environments.filter(({ targets }) => targets.length === 0).map(({ name }) => name);
  const named = environments.flatMap(({ targets }) => [...new Set(targets)]);
  const twice = [...new Set(named.filter((target, at) => named.indexOf(target) !== at))];
  return [
    ...all.map(
      (name) =>
        `the environment ${name} names no targets, so it deploys all, those of the other environments too: --environment ${name}=TARGET,TARGET`,
    ),
    ...twice.map((target) => `more than one environment deploys the target ${target}: name it in one of them`),
  ];
}

function remarksOf(
  { action, environments, deployNeeds, isGated }: SetupOptions,
  { signs, rotates }: Pick<GithubSetup, "signs" | "rotates">,
): string[] {
  return [
    ...(action.version === undefined
      ? [`no version is written beside the commit of the Action: --action "${action.name}@COMMIT # v1.2.3" adds it`]
      : []),
    ...(rotates ? [] : ["there is no rule in policies/rotation.yaml, so nothing rotates (docs/rotation.md)"]),
    ...(deployNeeds !== undefined && environments.length === 0
      ? ["nothing deploys yet: --environment NAME=TARGET,TARGET writes a job for an environment of GitHub"]
      : []),
    ...(signs && !isGated && deployNeeds !== undefined && environments.length > 0
      ? ["the policy wants signed commits, and no deploy asks for them: --gate does (docs/deploy-gate.md)"]
      : []),
    ...(isGated && environments.length > 0
      ? [
          "nothing deploys before the variable SEALTREE_ANCHOR of each environment has a commit that you looked at (docs/deploy-gate.md)",
        ]
      : []),
    ...(deployNeeds === undefined && environments.length > 0
      ? ["there are no targets in policies/deploy.yaml, so nothing deploys"]
      : []),
  ];
}
