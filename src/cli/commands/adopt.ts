import { listDrops } from "../../access/own-drops.ts";
import { findMember } from "../../access/permission.ts";
import { loadPolicy } from "../../access/policy.ts";
import { parseScopePath, type ScopePath } from "../../secret/address.ts";
import { listScopes, readScope } from "../../store/keyring.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import type { WriteOutcome } from "../../store/write.ts";
import { adoptDrops, type Adoption } from "../../values/adopt.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count } from "../present.ts";

const maxListed = 5;

export const adopt: CommandModule = {
  arguments: "[scope]",
  kind: "write",
  description:
    "Makes records of drops, the values that members set who may write and not read. It takes somebody who may read and write there, and a drop that is sealed to them; the others are named and stay. Values, their ids and times stay, and the author of a drop stays in the history. All scopes are done in one commit, or none.",
  options: [],
  examples: [
    { command: "sealtree adopt prod/api", description: "the drops of one scope" },
    { command: "sealtree adopt --yes --reason 'key delivered by the vendor'", description: "every drop you can open" },
  ],
  json: '{"scopes": [{"scope", "adopted": [name], "closed": [name]}], "left": [{"scope", "drops": number}], "commit": id|null, "dry_run": boolean}',
  async run(context, [text]) {
    const scope = text === undefined ? undefined : parseScopePath(text);
    context.about({ operation: "adopt", ...(scope === undefined ? {} : { scope }) });
    const waiting = await listWaiting(context, scope);
    if (waiting.length > 0) await context.confirm(`adopt ${sayList(waiting, "drop")}?`);
    const { dryRun, commit, note } = context.options;
    const outcome = await adoptDrops(context.session, { dryRun, commit, note, scope });
    if (!dryRun) await auditAdoption(context, outcome);
    report(context, outcome);
  },
};

/** Addresses of the drops, found without a key. */
async function listWaiting(context: Context, only: ScopePath | undefined): Promise<string[]> {
  const tree = openWorkTree(context.place().root);
  const found: string[] = [];
  for (const scope of only === undefined ? await listScopes(tree) : [only])
    for (const name of listDrops((await readScope(tree, scope)) ?? new Map())) found.push(`${scope}/${name}`);
  return found;
}

async function auditAdoption(context: Context, { result, commit }: WriteOutcome<Adoption>): Promise<void> {
  if (result.scopes.every(({ adopted }) => adopted.length === 0)) return;
  const policy = await loadPolicy(openWorkTree(context.place().root));
  const member = (await findMember(policy, await context.session.identities()))?.name;
  const event = {
    kind: "written",
    operation: "adopt",
    outcome: "ok",
    member,
    knownBy: "identity",
    reason: context.options.note,
    commit,
  } as const;
  context.audit(result.scopes.flatMap(({ scope, adopted }) => adopted.map((name) => ({ ...event, scope, name }))));
}

function report(context: Context, { result, commit }: WriteOutcome<Adoption>): void {
  const { dryRun, json } = context.options;
  if (json) {
    context.json({ ...result, commit: commit ?? null, dry_run: dryRun });
    return;
  }
  for (const { scope, adopted, closed } of result.scopes) {
    if (adopted.length > 0)
      context.say(`${dryRun ? "would adopt" : "adopted"} ${sayList(adopted, "drop")} in ${scope}`);
    if (closed.length > 0)
      context.say(
        `not sealed to you: ${sayList(closed, "drop")} in ${scope}; who could read when they were set adopts them`,
      );
  }
  for (const { scope, drops } of result.left)
    context.say(`left ${count(drops, "drop")} in ${scope}, where you may not read and write`);
  if (result.scopes.length + result.left.length === 0) context.say("no drops wait");
  if (commit !== undefined) context.say(`committed ${commit.slice(0, 9)}`);
}

function sayList(names: readonly string[], noun: string): string {
  return names.length <= maxListed ? names.join(", ") : count(names.length, noun);
}
