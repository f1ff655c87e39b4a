import { exitCodes } from "../../errors.ts";
import { offboard, planOffboard, type OffboardPlan, type OffboardRequest } from "../../rotation/offboard.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { requireHistory, sayGaps } from "../load-exposure.ts";
import { count } from "../present.ts";
import { withProgress } from "../progress.ts";
import { auditOffboard, offboardJson, printMarkdown, sayLeft, sayOffboard } from "../report-offboard.ts";

export const offboardCommand: CommandModule = {
  arguments: "<member>",
  kind: "write",
  description:
    "Ends a member's access: removes them from the policy, gives every scope they could read a new key, gives the values they could ever read a successor where the rotation policy can, and lists the rest with who owns it. Run it again to go on with what is left. The exit status is 8 when a rotation failed, or when the history here is not whole, so that nobody can say what is left.",
  options: [
    { flags: "--no-rotate", description: "leave all values as they are, and list them" },
    { flags: "--markdown", description: "print a report as Markdown on stdout, for an issue" },
    { flags: "--all-refs", description: "read the history of all branches, tags and the stash too" },
  ],
  examples: [
    { command: "sealtree offboard bob --dry-run", description: "what there is to do" },
    {
      command: "sealtree offboard bob --reason 'left the company'",
      description: "says what it will do, asks, does it",
    },
    {
      command: "sealtree offboard bob --yes --markdown > report.md",
      description: "in a script, with a report to file",
    },
  ],
  json: '{"member", "removed": boolean, "commit": id|null, "scopes": [scope], "rotated": [{"scope", "name", "commit": id|null}], "left": [{"scope", "name", "owner"|null, "runbook"|null, "reason", "failed": boolean}], "complete": boolean, "warnings": [text], "dry_run": boolean}',
  async run(context, [name = ""], options) {
    context.about({ operation: "offboard" });
    requireHistory(context);
    const request = { name, allRefs: options["allRefs"] === true, rotates: options["rotate"] !== false };
    const plan = await planOffboard(context.session, request);
    await ask(context, plan);
    const done = await carryOut(context, plan, request);
    if (!context.options.dryRun) await auditOffboard(context, plan, done);
    if (context.options.json) context.json(offboardJson(context, plan, done));
    else {
      if (options["markdown"] === true) printMarkdown(context, plan, done);
      else sayLeft(context, done.left);
      sayOffboard(context, plan, done);
      sayGaps(context, plan.exposure);
    }
    const isIncomplete = !plan.exposure.isComplete || done.left.some(({ isFailure }) => isFailure);
    return isIncomplete ? exitCodes.rotation : exitCodes.ok;
  },
};

/** Says what will be done, and asks unless there is nothing to do. */
async function ask(context: Context, plan: OffboardPlan): Promise<void> {
  const { name, isMember, scopes, rotations, left, exposure } = plan;
  const parts = [
    ...(isMember ? [`remove ${name}`] : []),
    ...(scopes.length === 0 ? [] : [`give ${count(scopes.length, "scope")} a new key`]),
    ...(rotations.length === 0 ? [] : [`give ${count(rotations.length, "secret")} a new value`]),
  ];
  if (!context.options.json) {
    context.say(`${name} could read ${count(exposure.exposed.length, "secret")} in force`);
    if (left.length > 0) context.say(`${count(left.length, "secret")} will be left for a person`);
  }
  if (parts.length === 0) return;
  if (!context.options.yes && !exposure.isComplete) sayGaps(context, exposure);
  await context.confirm(`${parts.join(", ")}?`);
}

async function carryOut(context: Context, plan: OffboardPlan, request: OffboardRequest) {
  const { dryRun, commit, note } = context.options;
  return await withProgress(
    context,
    async (onProgress) => await offboard(context.session, plan, request, { dryRun, commit, note, onProgress }),
  );
}
