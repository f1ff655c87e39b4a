import { readSealedHeader } from "../../crypto/sealed-header.ts";
import { findScopePoint, findVersion } from "../../history/find-version.ts";
import { applyRollback, openPast, planRollback, type RollbackPlan } from "../../history/roll-back.ts";
import { SealtreeError } from "../../errors.ts";
import { printAddress } from "../../secret/address.ts";
import { rotationPolicyPath } from "../../store/layout.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { relativeTime } from "../present.ts";
import { reportWrite } from "../report-write.ts";
import { parseTarget, type Target } from "../target.ts";

export const rollback: CommandModule = {
  arguments: "<address|scope>",
  kind: "write",
  description:
    "Gives a secret the value of an earlier version, or a scope everything it had at a commit; secrets it did not have then are removed. The value is sealed for those who may read now. It is a new commit: nothing of the history is lost. A credential that is rotated at its provider goes back there too: to the one in grace, or, where the value is ours to choose, to any that is given again.",
  options: [
    {
      flags: "--to <version>",
      description:
        "a version number of sealtree log, previous, a commit, tag or branch, or a time: 2026-11-01, 2026-11-01T12:00Z, 3d or 12h ago; for a scope all but the first two",
    },
  ],
  examples: [
    { command: "sealtree rollback prod/api/STRIPE_KEY --to previous", description: "the value before this one" },
    {
      command: "sealtree rollback prod/api/STRIPE_KEY --to 1 --yes --reason 'new key refused'",
      description: "the first version",
    },
    { command: "sealtree rollback prod/api/STRIPE_KEY --to 3d", description: "what was in force three days ago" },
    {
      command: "sealtree rollback prod/api --to v1.2.0 --dry-run",
      description: "what a whole scope would lose and get back",
    },
  ],
  json: '{"scope", "added": [name], "changed": [name], "unchanged": [name], "removed": [name], "missing": [name], "drops": [name], "commit": id|null, "dry_run": boolean}',
  async run(context, [text = ""], options) {
    context.about({ operation: "rollback" });
    const to = options["to"];
    if (typeof to !== "string")
      throw new SealtreeError("E_USAGE", "--to is missing", { hints: ["sealtree log ADDRESS lists the versions"] });
    const plan = await planFor(context, await parseTarget(openWorkTree(context.place().root), text), to);
    await checkRollbackAllowed(context, plan);
    if (plan.restored.length > 0 || plan.removed.length > 0) await announce(context, plan);
    if (await goBackAtProvider(context, plan)) return undefined;
    const outcome = await applyRollback(context.session, plan, { ...context.options, note: context.options.note });
    await reportWrite(context, outcome, { operation: "rollback", kind: "rolledBack" });
    const isChange = outcome.result.some(
      ({ added, changed, removed }) => added.length + changed.length + removed.length > 0,
    );
    if (!isChange) context.say(`nothing to do: it is as in ${plan.point.label} already`);
    else
      context.say(
        "the provider does not know of this: where the credential itself was changed, change it back there or rotate it",
      );
  },
};

/**
 * Goes back where the credential is at a provider, which must let it in; true when that was done.
 * Throws E_ROLLBACK_REFUSED for a value that the provider
 * has ended and only it can make.
 */
async function goBackAtProvider(context: Context, plan: RollbackPlan): Promise<boolean> {
  const { findProviderRollback } = await import("../../rotation/provider-rollback.ts");
  const found = await findProviderRollback(openWorkTree(context.place().root), plan);
  if (found === undefined || context.options.dryRun) return false;
  const { rollBackAtProvider } = await import("../rotate-at-providers.ts");
  const { reportProviderRollback } = await import("../report-providers.ts");
  const earlier = found.to === "previous" ? undefined : await openPast(context.session, plan, found.names);
  reportProviderRollback(context, await rollBackAtProvider(context, found.address, earlier));
  return true;
}

async function planFor(context: Context, target: Target, to: string): Promise<RollbackPlan> {
  const place = context.place();
  const now = context.io.now();
  if (target.kind === "scope") {
    context.about({ operation: "rollback", scope: target.scope });
    return await planRollback(place, target.scope, await findScopePoint(place, target.scope, to, now));
  }
  const { scope, name } = target.address;
  context.about({ operation: "rollback", scope, name });
  return await planRollback(place, scope, await findVersion(place, target.address, to, now), name);
}

/**
 * Some values are worthless once replaced, or worse. Throws E_ROLLBACK_REFUSED when the rotation
 * policy says so, and for a value that an emergency rotation replaced.
 */
async function checkRollbackAllowed(context: Context, { scope, restored, past }: RollbackPlan): Promise<void> {
  if (restored.length === 0) return;
  const { loadRotationPolicy, ruleFor } = await import("../../rotation/policy.ts");
  const policy = await loadRotationPolicy(openWorkTree(context.place().root));
  for (const name of restored) {
    if (ruleFor(policy, { scope, name })?.isRollbackAllowed ?? policy.defaults.rollback ?? true) continue;
    throw new SealtreeError("E_ROLLBACK_REFUSED", `the rotation policy does not allow a rollback of ${scope}/${name}`, {
      hints: [
        `its old values are of no use: sealtree rotate ${scope}/${name}`,
        `rollback: false is said in ${rotationPolicyPath}`,
      ],
      file: rotationPolicyPath,
    });
  }
  const { listGivenUpValues } = await import("../../history/given-up-values.ts");
  for (const { name, valueId, commit } of await listGivenUpValues(context.place(), scope)) {
    const record = restored.includes(name) ? past.get(name)?.record : undefined;
    if (record === undefined || readSealedHeader(record).valueId !== valueId) continue;
    throw new SealtreeError(
      "E_ROLLBACK_REFUSED",
      `others may know that value of ${scope}/${name}: an emergency rotation replaced it in ${commit.slice(0, 9)}`,
      { hints: [`go to another version, or take a new value: sealtree rotate ${scope}/${name}`] },
    );
  }
}

/** Shows what changes, and asks. */
async function announce(context: Context, { scope, point, restored, removed, past }: RollbackPlan): Promise<void> {
  if (context.options.yes && !context.options.dryRun) return;
  const now = context.io.now().getTime();
  for (const name of restored) {
    const { valueId, createdAt } = readSealedHeader(past.get(name)?.record ?? "");
    const value = `value ${valueId.slice(0, 8)}, set ${relativeTime(createdAt * 1000, now)}`;
    context.say(`roll back ${printAddress({ scope, name })} to ${value}`);
  }
  for (const name of removed) context.say(`remove ${printAddress({ scope, name })}, which was not there`);
  await context.confirm(`go back to ${point.label}?`);
}
