import { needsRekey } from "../../access/drift.ts";
import { findMember } from "../../access/permission.ts";
import { loadPolicy } from "../../access/policy.ts";
import { listDrifts, rekeyScopes, type RekeyedScope, type RekeyRequest } from "../../access/rekey-scopes.ts";
import { SealtreeError } from "../../errors.ts";
import { parseScopePath, type ScopePath } from "../../secret/address.ts";
import { listScopes } from "../../store/keyring.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import type { WriteOutcome } from "../../store/write.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count } from "../present.ts";
import { startProgress } from "../progress.ts";

export const rekey: CommandModule = {
  arguments: "[scope]",
  kind: "write",
  description:
    "Makes keyrings and records agree with the policy, also after policies/access.yaml was edited by hand: wraps keys for new readers, and gives scopes that lost a reader a new generation. With a scope, or --all, it mints a new generation in any case. Values stay as they are; all scopes are done in one commit, or none.",
  options: [{ flags: "--all", description: "a new generation for every scope" }],
  examples: [
    { command: "sealtree rekey", description: "whatever the policy asks for" },
    { command: "sealtree rekey prod/api --yes --reason 'laptop lost'", description: "a new generation for one scope" },
  ],
  json: '{"scopes": [{"scope", "minted": id|null, "rewrapped": number, "resealed": number, "added": [reader], "removed": [reader]}], "commit": id|null, "dry_run": boolean}',
  async run(context, [text], options) {
    const scope = text === undefined ? undefined : parseScopePath(text);
    context.about({ operation: "rekey", ...(scope === undefined ? {} : { scope }) });
    const what = await choose(context, scope, options["all"] === true);
    const progress = startProgress(context.io.stderr);
    const { dryRun, commit, note } = context.options;
    const onScope = (done: number, total: number) => {
      if (total > 1) progress.show(`rekeying ${done + 1} of ${total}`);
    };
    try {
      const outcome = await rekeyScopes(context.session, { dryRun, commit, note, what, onScope });
      progress.end();
      await report(context, outcome);
    } finally {
      progress.end();
    }
  },
};

/** What to rekey, after asking. */
async function choose(context: Context, scope: ScopePath | undefined, isAll: boolean): Promise<RekeyRequest["what"]> {
  const tree = openWorkTree(context.place().root);
  if (scope !== undefined) {
    if (isAll)
      throw new SealtreeError("E_USAGE", "--all is for every scope", { hints: ["name a scope, or give --all"] });
    const scopes = await listScopes(tree);
    if (!scopes.includes(scope)) {
      const { suggest } = await import("../../values/suggest.ts");
      throw new SealtreeError("E_SCOPE_NOT_FOUND", `no scope ${scope}`, { hints: suggest(scope, scopes) });
    }
    await context.confirm(`give ${scope} a new generation?`);
    return { scope };
  }
  if (isAll) {
    await context.confirm(`give ${count((await listScopes(tree)).length, "scope")} a new generation?`);
    return "all";
  }
  const due = (await listDrifts(tree, await loadPolicy(tree))).filter(needsRekey);
  if (due.length > 0)
    await context.confirm(
      `rekey ${due.length <= 5 ? due.map((drift) => drift.scope).join(", ") : count(due.length, "scope")}?`,
    );
  return "needed";
}

async function report(context: Context, outcome: WriteOutcome<readonly RekeyedScope[]>): Promise<void> {
  const { dryRun, json, note } = context.options;
  const { result, commit } = outcome;
  if (!dryRun && result.length > 0) {
    const policy = await loadPolicy(openWorkTree(context.place().root));
    const member = (await findMember(policy, await context.session.identities()))?.name;
    const event = {
      kind: "accessChanged",
      operation: "rekey",
      outcome: "ok",
      member,
      knownBy: "identity",
      reason: note,
      commit,
    } as const;
    context.audit(result.map(({ scope }) => ({ ...event, scope })));
  }
  if (json) {
    context.json({ scopes: result.map(describe), commit: commit ?? null, dry_run: dryRun });
    return;
  }
  if (result.length === 0) context.say("every scope agrees with the policy; nothing to rekey");
  for (const scope of result) for (const line of sayScope(scope, dryRun)) context.say(line);
  if (commit !== undefined) context.say(`committed ${commit.slice(0, 9)}`);
}

function describe({ scope, minted, rewrapped, resealed, drift }: RekeyedScope) {
  return { scope, minted: minted ?? null, rewrapped, resealed, added: drift.missing, removed: drift.extra };
}

function sayScope({ scope, minted, rewrapped, resealed, drift }: RekeyedScope, isDryRun: boolean): string[] {
  const parts = [
    ...(minted === undefined ? [] : ["a new generation"]),
    ...(resealed === 0 ? [] : [`${count(resealed, "secret")} sealed again`]),
    ...(rewrapped === 0 ? [] : [`${count(rewrapped, "generation")} wrapped again`]),
  ];
  const lines = [`${isDryRun ? "would rekey" : "rekeyed"} ${scope}: ${parts.join(", ")}`];
  if (drift.missing.length > 0) lines.push(`  can read it now: ${drift.missing.join(", ")}`);
  if (drift.staleFor.length > 0) {
    const secrets = drift.stale.length <= 5 ? drift.stale.join(", ") : count(drift.stale.length, "secret");
    lines.push(
      `  ${drift.staleFor.join(", ")} could read ${secrets}, and what was read stays read`,
      `  new values end that: sealtree rotate ${scope}`,
    );
  }
  return lines;
}
