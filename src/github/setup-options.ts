import { usageError } from "../errors.ts";
import type { PinnedAction } from "./pinned-actions.ts";

/** An environment of GitHub that is deployed from, and the targets that its job brings in order. */
export interface DeployEnvironment {
  readonly name: string;
  /** Names of policies/deploy.yaml; none stands for all. */
  readonly targets: readonly string[];
}

/** What the workflows of a repository depend on, and a person chooses. */
export interface SetupChoices {
  /** `owner/name`: the times of the schedules come from it. */
  readonly repository: string;
  /** The default branch. */
  readonly branch: string;
  readonly environments: readonly DeployEnvironment[];
  /** How a rotation gets to the default branch: by a push, or by a pull request. */
  readonly rotation: "direct" | "pull-request";
  /** As whom rotation speaks to GitHub: with the token of the job, or as a GitHub App. */
  readonly login: "token" | "app";
  /** Whether a deploy first proves HEAD by the commit in the variable SEALTREE_ANCHOR, and does nothing without it. */
  readonly isGated: boolean;
}

/** What a job needs for the credentials that the policies name. */
export interface JobNeeds {
  /** Variables that they are read from, sorted: each a secret of the job's environment. */
  readonly variables: readonly string[];
  /** Whether the job signs in somewhere with an identity token of its own. */
  readonly identityToken: boolean;
}

/** All that the workflows are made from. */
export interface SetupOptions extends SetupChoices {
  /** Our Action. */
  readonly action: PinnedAction;
  /** For the rotators and, as new values are sent at once, for all targets. */
  readonly rotationNeeds: JobNeeds;
  /** By the name of the environment. Undefined without a policy of deployments. */
  readonly deployNeeds: ReadonlyMap<string, JobNeeds> | undefined;
}

const repositoryPattern = /^[\w.-]{1,100}\/[\w.-]{1,100}$/;
/** Without what is a pattern in the filters of a workflow, or would have to be quoted in YAML. */
const branchPattern = /^[A-Za-z0-9][\w./-]{0,249}$/;
/** What git takes in no name of a branch (git-check-ref-format), of what the pattern lets through. */
const notInRefs = /\.\.|\/\/|\/\.|[./]$|\.lock(?:\/|$)|^HEAD$/;
const environmentPattern = /^[A-Za-z0-9][\w.-]{0,99}$/;
const targetPattern = /^[a-z][a-z0-9_-]{0,62}$/;

/** `owner/name`. Throws E_USAGE. */
export function parseRepositoryName(text: string): string {
  if (repositoryPattern.test(text)) return text;
  throw usageError("the repository is not named as GitHub does", "--repository OWNER/NAME");
}

/** `owner/name` at the end of a remote's address; undefined when it does not end so. */
export function findRepositoryName(url: string): string | undefined {
  const match = /[/:]([^/:]+\/[^/:]+?)(?:\.git)?\/?$/.exec(url);
  return match?.[1] !== undefined && repositoryPattern.test(match[1]) ? match[1] : undefined;
}

/** The name of a branch that a workflow can name as it stands. Throws E_USAGE. */
export function parseBranchName(text: string): string {
  if (branchPattern.test(text) && !notInRefs.test(text)) return text;
  throw usageError(
    "the default branch has a name that a workflow cannot filter by",
    "--branch NAME, of letters, digits and . _ / -, as git takes it",
  );
}

/** `production` or `production=vault,gh-prod`. Throws E_USAGE. */
export function parseEnvironment(text: string): DeployEnvironment {
  const [name = "", list, ...rest] = text.split("=");
  const targets = (list ?? "").split(",").filter((target) => target !== "");
  const isRight = environmentPattern.test(name) && targets.every((it) => targetPattern.test(it)) && rest.length === 0;
  if (isRight && (list === undefined) === (targets.length === 0)) return { name, targets };
  throw usageError(
    "an environment is not written as one",
    "--environment NAME for all targets, --environment NAME=TARGET,TARGET for these",
    "names have letters, digits and . _ -",
  );
}

/** The command line that makes the same choices again. {@link findChoices} reads it. */
export function printChoices(choices: SetupChoices): string {
  return [
    "sealtree github-setup",
    `--repository ${choices.repository}`,
    `--branch ${choices.branch}`,
    ...choices.environments.map(({ name, targets }) =>
      [`--environment ${name}`, ...(targets.length === 0 ? [] : [targets.join(",")])].join("="),
    ),
    ...(choices.rotation === "direct" ? [] : ["--pull-request"]),
    ...(choices.login === "token" ? [] : ["--app"]),
    ...(choices.isGated ? ["--gate"] : []),
  ].join(" ");
}

/** The choices that a line of {@link printChoices} holds; undefined for any other. */
export function findChoices(line: string): SetupChoices | undefined {
  const [head, repository, branch, ...rest] = line.split(" --");
  if (head !== "sealtree github-setup" || repository === undefined || branch === undefined) return undefined;
  try {
    const choices: SetupChoices = {
      repository: parseRepositoryName(after("repository ", repository)),
      branch: parseBranchName(after("branch ", branch)),
      environments: rest.flatMap((it) => (it.startsWith("environment ") ? [parseEnvironment(it.slice(12))] : [])),
      rotation: rest.includes("pull-request") ? "pull-request" : "direct",
      login: rest.includes("app") ? "app" : "token",
      isGated: rest.includes("gate"),
    };
    return printChoices(choices) === line ? choices : undefined;
  } catch {
    return undefined;
  }
}

function after(name: string, text: string): string {
  return text.startsWith(name) ? text.slice(name.length) : "";
}
