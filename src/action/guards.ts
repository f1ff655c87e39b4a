import { SealtreeError } from "../errors.ts";
import { hasGit, type Environment, type GitPlace } from "../git/place.ts";
import { refusedName } from "../resolve/refused-names.ts";
import type { JobEvent } from "./event.ts";
import type { ActionCommand } from "./inputs.ts";
import type { Runner } from "./runner.ts";

const decrypting: readonly ActionCommand[] = ["rotate", "deploy", "drift", "export", "run"];
const identityName =
  /^(?:SEALTREE_IDENTITY|SEALTREE_SIGNING_KEY$|SOPS_AGE_|AGE_(?:IDENTITY|SECRET_KEY|KEY|PASSPHRASE))/i;
const identityText = /AGE-(?:SECRET-KEY|PLUGIN)-/i;

/**
 * Refuses a job that must not open values: one that anybody could have started may not decrypt,
 * nor have an identity at all; nor may one that comments, whoever started it. Throws E_ACTION_REFUSED.
 */
export function checkTrust(command: ActionCommand, event: JobEvent, env: Environment): void {
  const reason = event.foreign ?? (command === "comment" ? "it reads what anybody may have sent" : undefined);
  if (reason === undefined) return;
  if (decrypting.includes(command)) {
    throw refused(`${command} opens values, and is refused here: ${reason}`, [
      "run it on push, schedule or workflow_dispatch",
      "check and review need no identity, and run on pull_request for everybody",
    ]);
  }
  if (Object.entries(env).some(([name, value]) => hasIdentity(name, value))) {
    throw refused(`an identity is in the environment of a job that must have none: ${reason}`, [
      "take SEALTREE_IDENTITY out of this job's env",
      "if others could have read it: sealtree offboard, and rotate what it could read",
    ]);
  }
}

/** True when a variable is where an age identity is looked for, or holds one. */
function hasIdentity(name: string, value: string | undefined): boolean {
  return value !== undefined && value !== "" && (identityName.test(name) || identityText.test(value));
}

/** Throws E_ACTION_REFUSED when the clone lacks the history that `command` reads. */
export async function checkHistory(command: ActionCommand, place: GitPlace): Promise<void> {
  if (!hasGit(place)) return;
  // Loaded here: the client of git takes a fifth of the time in which export is done.
  const { isShallow } = await import("../history/scope-commits.ts");
  if (!(await isShallow(place))) return;
  throw refused(`${command} reads the history, and this clone is shallow`, ["give actions/checkout: fetch-depth: 0"]);
}

/** Warns when the workflow names this Action by a tag or a branch, which can be moved to other code. */
export function warnUnpinned(env: Environment, runner: Runner): void {
  const ref = env["GITHUB_ACTION_REF"] ?? "";
  if (ref === "" || /^[0-9a-f]{40}$/.test(ref)) return;
  runner.annotate("warning", "the Action is named by a tag or a branch, which can be moved: name it by its commit", {
    title: "sealtree is not pinned",
  });
}

/** Throws E_NAME_REFUSED for a variable that changes how programs load, unless it is in `allowed`. */
export function checkVariable(variable: string, allowed: readonly string[]): void {
  const reason = allowed.includes(variable) ? undefined : refusedName(variable);
  if (reason === undefined) return;
  throw new SealtreeError("E_NAME_REFUSED", `${variable} is not handed over: ${reason}`, {
    hints: [`if it is meant: allow-names: ${variable}; otherwise leave it out with the input only`],
  });
}

function refused(message: string, hints: readonly string[]): SealtreeError {
  return new SealtreeError("E_ACTION_REFUSED", message, { hints });
}
