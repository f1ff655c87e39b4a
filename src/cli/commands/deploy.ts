import { prepareDeploy, type PreparedDeploy } from "../../deploy/deploy.ts";
import type { TargetOutcome } from "../../deploy/deploy-target.ts";
import { exitCodes, SealtreeError } from "../../errors.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { parseDeadline, showTargets } from "../deploy-options.ts";
import { deployJson, listWrites, plannedOutcomes, sayOutcomes, sayPlan } from "../report-deploy.ts";
import { count } from "../present.ts";

export const deploy: CommandModule = {
  arguments: "[targets...]",
  kind: "plain",
  description:
    "Brings the targets of policies/deploy.yaml in order with the values of a commit: looks what is there, sends only what differs, and looks again. What sealtree did not put there is never overwritten without --adopt, nor removed. Everything is checked for all targets before anything is sent to one. When it is cut off, or some targets fail, the same command goes on with what is left. The exit status is 9 when a required target, or one that was named, is not in order, and 7 when something there is somebody else's.",
  options: [
    { flags: "--dry-run", description: "look at the targets, say what would be sent, and send nothing" },
    { flags: "--adopt", description: "take over what is there and is not ours" },
    { flags: "--prune", description: "remove what is ours there and not wanted any more" },
    { flags: "--deadline <time>", description: "give up after this time, such as 90s or 15m (5m)" },
    { flags: "--at <rev>", description: "deploy the values of a commit, tag or branch instead of HEAD" },
    { flags: "-y, --yes", description: "do not ask" },
  ],
  examples: [
    { command: "sealtree deploy --dry-run", description: "what would be sent where, by names" },
    { command: "sealtree deploy vault gh-prod --yes", description: "two targets, in a workflow" },
    { command: "sealtree deploy --at v1.4.0 --prune", description: "back to the values of a release" },
  ],
  json: '{"commit": id, "dry_run": boolean, "targets": [{"target", "kind", "place", "required": boolean, "outcome": "in order"|"conflict"|"failed"|"skipped"|"planned", "plan": [{"name", "address", "action": "create"|"update"|"same"|"conflict"|"remove"|"left over"|"blocked", "reason"}], "written": [name], "removed": [name], "failures": [{"class": text|null, "message", "hints": [text]}], "note"?}], "warnings": [text]}',
  async run(context, targets, options) {
    context.about({ operation: "deploy" });
    const isAdopting = options["adopt"] === true;
    const display = showTargets(context);
    let prepared: PreparedDeploy | undefined;
    try {
      prepared = await prepareDeploy(context.session, {
        targets,
        revision: context.options.at,
        adoption: isAdopting ? "all" : "none",
        prunes: options["prune"] === true,
        deadlineMs: parseDeadline(options["deadline"]),
        env: context.io.env,
        isDeploy: true,
        onProgress: (progress) => display.show(progress),
        onMissing: (missing) =>
          context.audit(
            missing.map(({ scope, name }) => ({
              kind: "requiredMissing",
              operation: "deploy",
              scope,
              name,
              outcome: "refused",
            })),
          ),
      });
      display.end();
      if (prepared.targets.length === 0) throw nothingToDeploy();
      if (!context.options.json) sayPlan(context, prepared);
      const isDry = context.options.dryRun;
      if (!isDry) await confirmWrites(context, prepared);
      const outcomes = isDry ? plannedOutcomes(prepared) : await prepared.apply();
      display.end();
      if (!isDry) auditOutcomes(context, prepared, outcomes);
      if (context.options.json) context.json(deployJson(prepared, outcomes, isDry));
      else sayOutcomes(context, prepared, outcomes);
      return exitCodeOf(prepared, outcomes, targets);
    } finally {
      display.end();
      await prepared?.close();
    }
  },
};

/** Asks when something is to be sent, with what a write sets off. */
async function confirmWrites(context: Context, prepared: PreparedDeploy): Promise<void> {
  const writes = prepared.targets.map((target) => ({ target, names: listWrites(target.job.steps) }));
  const busy = writes.filter(({ names }) => names.length > 0);
  const total = busy.reduce((sum, { names }) => sum + names.length, 0);
  if (total === 0) return;
  for (const { target } of busy) {
    const { restarts } = target.entry.bound.facts;
    if (restarts !== undefined && !context.options.json) context.say(`${target.entry.name}: ${restarts}`);
  }
  await context.confirm(`change ${count(total, "value")} at ${count(busy.length, "target")}?`);
}

function exitCodeOf(
  prepared: PreparedDeploy,
  outcomes: ReadonlyMap<string, TargetOutcome>,
  named: readonly string[],
): number {
  const kinds = prepared.targets.map(({ entry }) => ({ entry, kind: outcomes.get(entry.name)?.kind }));
  const isFailed = kinds.some(
    ({ entry, kind }) => (kind === "failed" || kind === "skipped") && (entry.isRequired || named.includes(entry.name)),
  );
  if (isFailed) return exitCodes.provider;
  return kinds.some(({ kind }) => kind === "conflict") ? exitCodes.conflict : exitCodes.ok;
}

/** One event a secret and target that was changed. */
function auditOutcomes(
  context: Context,
  { targets, commit, actor }: PreparedDeploy,
  outcomes: ReadonlyMap<string, TargetOutcome>,
): void {
  for (const { entry, items } of targets) {
    const outcome = outcomes.get(entry.name);
    const written = new Set(outcome?.written);
    context.audit(
      items.flatMap(({ name, source }) =>
        written.has(name)
          ? [
              {
                kind: "deployed" as const,
                operation: `deploy ${entry.name}`,
                ...source,
                outcome: "ok" as const,
                member: actor,
                knownBy: "identity" as const,
                commit,
              },
            ]
          : [],
      ),
    );
  }
}

function nothingToDeploy(): SealtreeError {
  return new SealtreeError("E_TARGET_NOT_FOUND", "there are no targets in policies/deploy.yaml", {
    hints: ["docs/deploy.md shows how to write one", "sealtree check looks for mistakes in it"],
  });
}
