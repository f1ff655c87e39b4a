import { usageError } from "../errors.ts";
import { readText, type Tree } from "../store/tree.ts";
import { findDifferentLines, type DifferentLines } from "./compare-lines.ts";
import { choosePins, listUses, pinnedActions, printUse, type ActionPins, type PinnedAction } from "./pinned-actions.ts";
import type { SetupChoices, SetupOptions } from "./setup-options.ts";
import { findWorkflowFile, printWorkflowFile } from "./workflow-file.ts";
import type { WorkflowPlan } from "./workflows/parts.ts";
import { printCheckWorkflow } from "./workflows/secrets-check.ts";
import { printCommentWorkflow } from "./workflows/secrets-comment.ts";
import { printDeployWorkflow } from "./workflows/secrets-deploy.ts";
import { printDriftWorkflow } from "./workflows/secrets-drift.ts";
import { printHeartbeatWorkflow, printPushHeartbeatWorkflow } from "./workflows/secrets-heartbeat.ts";
import { printRotationWorkflow } from "./workflows/secrets-rotation.ts";

const directory = ".github/workflows";
const printers: Readonly<Record<string, (plan: WorkflowPlan) => string>> = {
  "secrets-check.yml": printCheckWorkflow,
  "secrets-comment.yml": printCommentWorkflow,
  "secrets-rotation.yml": printRotationWorkflow,
  "secrets-heartbeat.yml": printHeartbeatWorkflow,
  "secrets-heartbeat-push.yml": printPushHeartbeatWorkflow,
  "secrets-deploy.yml": printDeployWorkflow,
  "secrets-drift.yml": printDriftWorkflow,
};
const deploying = ["secrets-deploy.yml", "secrets-drift.yml"];

/** The paths of all workflows that are ever written. */
export const workflowPaths: readonly string[] = Object.keys(printers).map((file) => `${directory}/${file}`);

/** What the files that are there say of how they were made. */
export interface PresentSetup {
  readonly choices: SetupChoices | undefined;
  /** Our Action at each commit that a file of ours names. */
  readonly actions: readonly PinnedAction[];
  readonly pins: ActionPins;
}

/** What becomes of one file, and its text as it should be: none for one that is not wanted. */
export interface PlannedWorkflow {
  readonly path: string;
  readonly text: string | undefined;
  /**
   * `foreign` was there before us and `changed` was changed by hand: both are left as they are.
   * `unwanted` is one of ours that there is no use for any more.
   */
  readonly state: "same" | "missing" | "outdated" | "unwanted" | "foreign" | "changed";
  /** Where a file that is there is not as it should be. */
  readonly different: DifferentLines | undefined;
}

/** Reads what the workflows of a tree were made with. */
export async function readPresentSetup(tree: Tree): Promise<PresentSetup> {
  const texts = await Promise.all(workflowPaths.map(async (path) => (await readText(tree, path)) ?? ""));
  const ours = texts.filter((text) => findWorkflowFile(text) !== undefined);
  const uses = ours.flatMap((text) => listUses(text));
  const known: ReadonlySet<string> = new Set(Object.values(pinnedActions).map(({ name }) => name));
  const actions = new Map(uses.filter(({ name }) => !known.has(name)).map((use) => [printUse(use), use]));
  return {
    choices: ours.map((text) => findWorkflowFile(text)?.choices).find((choices) => choices !== undefined),
    actions: [...actions.values()],
    pins: choosePins(uses),
  };
}

/** The one commit of our Action that all files name. Throws E_USAGE when there is none, or more than one. */
export function requireOneAction({ actions }: PresentSetup): PinnedAction {
  const [action, ...others] = actions;
  if (action !== undefined && others.length === 0) return action;
  const message =
    action === undefined
      ? "it is not known yet where the Action is, and at which commit"
      : "the workflows use the Action at more than one commit";
  throw usageError(message, "--action OWNER/REPOSITORY@COMMIT with the 40 digits of a release");
}

/** All workflows as they should be, against those that are in the tree. */
export async function planSetup(tree: Tree, options: SetupOptions, pins: ActionPins): Promise<PlannedWorkflow[]> {
  const plan: WorkflowPlan = { ...options, pins };
  const deploys = options.deployNeeds !== undefined && options.environments.length > 0;
  return await Promise.all(
    Object.entries(printers).map(async ([file, print]) => {
      const path = `${directory}/${file}`;
      const isWanted = deploys || !deploying.includes(file);
      const text = isWanted ? printWorkflowFile(options, print(plan)) : undefined;
      const before = await readText(tree, path);
      const different = before === undefined || text === undefined ? undefined : findDifferentLines(before, text);
      return { path, text, state: stateOf(before, text), different };
    }),
  );
}

function stateOf(before: string | undefined, text: string | undefined): PlannedWorkflow["state"] {
  if (before === text) return "same";
  if (before === undefined) return "missing";
  const file = findWorkflowFile(before);
  // A file with one of the names that is not ours and not wanted either is nobody's business here.
  if (file === undefined) return text === undefined ? "same" : "foreign";
  if (file.isChanged) return "changed";
  return text === undefined ? "unwanted" : "outdated";
}
