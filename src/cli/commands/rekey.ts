import { needsRekey } from "../../access/drift.ts";
import { findMember } from "../../access/permission.ts";
import { loadPolicy } from "../../access/policy.ts";
import { listDrifts, rekeyScopes, type RekeyedScope, type RekeyRequest } from "../../access/rekey-scopes.ts";
import { SealtreeError } from "../../errors.ts";
import { parseScopePath, type ScopePath } from "../../secret/address.ts";
import { listScopes } from "../../store/keyring.ts";
import { compareText } from "../../secret/text-order.ts";
import { openWorkTree } from "../../store/work-tree.ts";
import type { WriteOutcome } from "../../store/write.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { count } from "../present.ts";
import { withProgress } from "../progress.ts";

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
  json: '{"scopes": [{"scope", "minted": id|null, "rewrapped": number, "resealed": number, "adopted": number, "added": [reader], "removed": [reader]}], "commit": id|null, "dry_run": boolean}',
  async run(context, [text], options) {
    const scope = text === undefined ? undefined : parseScopePath(text);
    context.about({ operation: "rekey", ...(scope === undefined ? {} : { scope }) });
    const what = await choose(context, scope, options["all"] === true);
    const { dryRun, commit, note } = context.options;
    const outcome = await withProgress(
      context,
      async (onProgress) => await rekeyScopes(context.session, { dryRun, commit, note, what, onProgress }),
    );
    await report(context, outcome);
  },
};

/** What to rekey, after asking. */
async function choose(context: Context, scope: ScopePath | undefined, isAll: boolean): Promise<RekeyRequest["what"]> {
  const tree = openWorkTree(context.place().root);
  if (scope !== undefined) {
    if (isAll)
      throw new SealtreeError("E_USAGE", "--all is for every scope", { hints: ["name a scope, or give --all"] });
    if (!(await listScopes(tree)).includes(scope)) {
      const { scopeNotFound } = await import("../../values/not-found.ts");
      throw await scopeNotFound(tree, scope);
    }
    await context.confirm(`give ${scope} a new generation?`);
    return { scope };
  }
  if (isAll) {
    await context.confirm(`give ${count((await listScopes(tree)).length, "scope")} a new generation?`);
    return "all";
  }
  if (context.options.yes || context.options.dryRun) return "needed";
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
  if (result.length > mostTold) for (const line of sayAll(result, dryRun)) context.say(line);
  else for (const scope of result) for (const line of sayScope(scope, dryRun)) context.say(line);
  if (commit !== undefined) context.say(`committed ${commit.slice(0, 9)}`);
}

/** More scopes than these are told of together. */
const mostTold = 20;

function describe({ scope, minted, rewrapped, resealed, adopted, drift }: RekeyedScope) {
  return { scope, minted: minted ?? null, rewrapped, resealed, adopted, added: drift.missing, removed: drift.extra };
}

function sayScope({ scope, minted, rewrapped, resealed, adopted, drift }: RekeyedScope, isDryRun: boolean): string[] {
  const parts = [...(minted === undefined ? [] : ["a new generation"]), ...sayWork({ rewrapped, resealed, adopted })];
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

function sayWork({ rewrapped, resealed, adopted }: Pick<RekeyedScope, "rewrapped" | "resealed" | "adopted">): string[] {
  return [
    ...(resealed === 0 ? [] : [`${count(resealed, "secret")} sealed again`]),
    ...(adopted === 0 ? [] : [`${count(adopted, "drop")} adopted`]),
    ...(rewrapped === 0 ? [] : [`${count(rewrapped, "generation")} wrapped again`]),
  ];
}

function sayAll(result: readonly RekeyedScope[], isDryRun: boolean): string[] {
  const total = (key: "rewrapped" | "resealed" | "adopted") => result.reduce((sum, scope) => sum + scope[key], 0);
  const minted = result.filter((scope) => scope.minted !== undefined).length;
  const work = sayWork({ rewrapped: total("rewrapped"), resealed: total("resealed"), adopted: total("adopted") });
  const parts = [...(minted === 0 ? [] : [count(minted, "new generation")]), ...work];
  const gained = [...new Set(result.flatMap(({ drift }) => drift.missing))].sort(compareText);
  const lost = result.filter(({ drift }) => drift.staleFor.length > 0);
  const names = [...new Set(lost.flatMap(({ drift }) => drift.staleFor))].sort(compareText);
  const secrets = lost.reduce((sum, { drift }) => sum + drift.stale.length, 0);
  return [
    `${isDryRun ? "would rekey" : "rekeyed"} ${count(result.length, "scope")}: ${parts.join(", ")}`,
    ...(gained.length === 0 ? [] : [`  can read more now: ${gained.join(", ")}`]),
    ...(names.length === 0
      ? []
      : [
          `  ${names.join(", ")} could read some of ${count(secrets, "secret")} in ${count(lost.length, "scope")}, and what was read stays read`,
          "  new values end that: sealtree exposure NAME lists them",
        ]),
  ];
}
