import { createHash } from "node:crypto";
import { withoutPins } from "./pinned-actions.ts";
import { findChoices, printChoices, type SetupChoices } from "./setup-options.ts";

/** A file of ours, as it was found. */
export interface WorkflowFile {
  /** What it was made with; undefined when its second line does not say so any more. */
  readonly choices: SetupChoices | undefined;
  /** True when somebody changed more than the commits of the actions that it uses. */
  readonly isChanged: boolean;
}

const marker = /^# Written by sealtree github-setup, sha256:([0-9a-f]{64})\. By hand: change the options instead\.$/;

/**
 * `body` as a file of ours: below a line that says whose it is, with a digest of what follows, and
 * a line with the command that makes it. The digest tells what was changed by hand, and proves
 * nothing: anybody can make another. Commits of actions are not in it, so that Dependabot may renew them.
 */
export function printWorkflowFile(choices: SetupChoices, body: string): string {
  const text = `# ${printChoices(choices)}\n${body}`;
  return `# Written by sealtree github-setup, sha256:${digest(text)}. By hand: change the options instead.\n${text}`;
}

/** A file of ours; undefined for one that does not begin as ours do. */
export function findWorkflowFile(text: string): WorkflowFile | undefined {
  const end = text.indexOf("\n");
  const written = marker.exec(text.slice(0, end < 0 ? text.length : end))?.[1];
  if (written === undefined) return undefined;
  const rest = text.slice(end + 1);
  const [line = ""] = rest.split("\n", 1);
  return {
    choices: line.startsWith("# ") ? findChoices(line.slice(2)) : undefined,
    isChanged: end < 0 || digest(rest) !== written,
  };
}

function digest(text: string): string {
  return createHash("sha256").update(withoutPins(text)).digest("hex");
}
