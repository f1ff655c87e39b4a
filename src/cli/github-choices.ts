import { usageError } from "../errors.ts";
import { findDefaultBranchName, findRemoteUrl } from "../git/remote-facts.ts";
import { hasGit } from "../git/place.ts";
import { findPinnedAction, type PinnedAction } from "../github/pinned-actions.ts";
import { requireOneAction, type PresentSetup } from "../github/plan-setup.ts";
import {
  findRepositoryName,
  parseBranchName,
  parseEnvironment,
  parseRepositoryName,
  type DeployEnvironment,
  type SetupChoices,
} from "../github/setup-options.ts";
import { rotationEnvironment } from "../github/workflows/secrets-rotation.ts";
import type { OptionSpec } from "./command.ts";
import type { Context } from "./context.ts";

/** The options that say how the workflows are to be. What is not given stays as it was. */
export const choiceOptions: readonly OptionSpec[] = [
  {
    flags: "--action <use>",
    description: "the Action, as OWNER/REPOSITORY@COMMIT with 40 digits; a version may follow, as in '... # v0.2.0'",
  },
  { flags: "--repository <name>", description: "OWNER/NAME; without, from the remote" },
  { flags: "--branch <name>", description: "the default branch; without, as the remote has it" },
  {
    flags: "--environment <name>",
    description: "deploy from this environment of GitHub: NAME, or NAME=TARGET,TARGET; none for no environment",
    repeats: true,
  },
  { flags: "--pull-request", description: "what is rotated comes as a pull request" },
  { flags: "--direct", description: "what is rotated is pushed to the default branch, as without any of the two" },
  { flags: "--app", description: "rotation speaks to GitHub as a GitHub App" },
  {
    flags: "--job-token",
    description: "rotation speaks to GitHub with the token of the job, as without any of the two",
  },
  { flags: "--gate", description: "deploys first prove HEAD by the commit in the variable SEALTREE_ANCHOR" },
  { flags: "--gateless", description: "deploys do not, as without any of the two" },
];

/** Options of `github-setup` that go with `--check`. */
export const checkOptions: readonly OptionSpec[] = [
  { flags: "--check", description: "write nothing: compare the repository's settings at GitHub with what is needed" },
  { flags: "--strict", description: "with --check: warnings count as errors" },
  {
    flags: "--reviewed <environment>",
    description: "with --check: somebody must approve the jobs of this environment",
    repeats: true,
  },
  { flags: "--api <url>", description: "with --check: of GitHub Enterprise, such as https://HOST/api/v3" },
];

/** Throws E_USAGE for an option that goes with `--check` alone: it would be read by nobody. */
export function refuseCheckOptions(options: Readonly<Record<string, unknown>>): void {
  const stray = ["strict", "reviewed", "api"].find((name) => options[name] !== undefined);
  if (stray !== undefined) throw usageError(`--${stray} goes with --check`, "sealtree github-setup --check");
}

/** What was asked for, else what the files that are there say, else what git knows. Throws E_USAGE. */
export async function resolveChoices(
  context: Context,
  options: Readonly<Record<string, unknown>>,
  { choices: before }: PresentSetup,
): Promise<SetupChoices> {
  const place = context.place();
  const text = (name: string) => (typeof options[name] === "string" ? options[name] : undefined);
  const url = hasGit(place) ? await findRemoteUrl(place) : undefined;
  const repository = text("repository") ?? before?.repository ?? findRepositoryName(url ?? "");
  const branch = text("branch") ?? before?.branch ?? (hasGit(place) ? await findDefaultBranchName(place) : undefined);
  if (repository === undefined) throw usageError("no remote says which repository this is", "--repository OWNER/NAME");
  if (branch === undefined) throw usageError("no branch says which one is the default", "--branch main");
  return {
    repository: parseRepositoryName(repository),
    branch: parseBranchName(branch),
    environments: refuseRotation(parseEnvironments(options["environment"]) ?? before?.environments ?? []),
    rotation: chooseOne(options, { pullRequest: "pull-request", direct: "direct" }) ?? before?.rotation ?? "direct",
    isGated: (chooseOne(options, { gate: "gate", gateless: "gateless" }) ?? (before?.isGated ? "gate" : "")) === "gate",
    login: chooseOne(options, { app: "app", jobToken: "token" }) ?? before?.login ?? "token",
  };
}

/** Where the Action is: as asked for, else as the files that are there say. Throws E_USAGE. */
export function resolveAction(options: Readonly<Record<string, unknown>>, present: PresentSetup): PinnedAction {
  const given = options["action"];
  if (typeof given !== "string") return requireOneAction(present);
  const action = findPinnedAction(given);
  if (action !== undefined) return action;
  throw usageError(
    "the Action is not named by its full commit",
    "--action OWNER/REPOSITORY@COMMIT, with the 40 digits of a commit",
    "a tag or a branch can be moved to other code",
  );
}

function parseEnvironments(given: unknown): DeployEnvironment[] | undefined {
  if (!Array.isArray(given)) return undefined;
  const texts = given.map(String);
  if (texts.includes("none")) {
    if (texts.length === 1) return [];
    throw usageError("none stands beside an environment", "--environment none alone, or the environments without it");
  }
  const environments = texts.map(parseEnvironment);
  // Case apart, as GitHub compares them; a dot and a dash are the same in the id of a job.
  const names = environments.map(({ name }) => name.toLowerCase().replaceAll(".", "_"));
  if (new Set(names).size === names.length) return environments;
  throw usageError("an environment is named twice", "--environment NAME=TARGET,TARGET has all targets of one");
}

/** An environment that deployed as well would have the identity of rotation, and rotation its own. Throws E_USAGE. */
function refuseRotation(environments: readonly DeployEnvironment[]): readonly DeployEnvironment[] {
  if (!environments.some(({ name }) => name.toLowerCase() === rotationEnvironment)) return environments;
  throw usageError(
    `the environment ${rotationEnvironment} is the one that rotation runs in: a deploy in it would share its identity`,
    "--environment production, or another name; each environment has an identity of its own",
  );
}

/** The meaning of the one option of several that was given. Throws E_USAGE for two. */
function chooseOne<T extends string>(
  options: Readonly<Record<string, unknown>>,
  meanings: Readonly<Record<string, T>>,
): T | undefined {
  const given = Object.entries(meanings).filter(([name]) => options[name] === true);
  if (given.length > 1) throw usageError("two options say the opposite", "give one of them, or none");
  return given[0]?.[1];
}
