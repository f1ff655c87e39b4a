import { countReach, type ReadableScope } from "../access/member-scopes.ts";
import type { PlannedRekey } from "../access/rekey.ts";
import type { ScopePath } from "../secret/address.ts";
import type { Context } from "./context.ts";
import { count } from "./present.ts";

/** `3 values in 2 scopes (dev/app, dev/web)`; the scopes are named while they are few. */
export function sayReach(reach: readonly ReadableScope[]): string {
  const { scopes, secrets } = countReach(reach);
  const within = reach.filter((item) => item.secrets.length > 0).map(({ scope }) => scope);
  const named = scopes > 0 && scopes <= 5 ? ` (${within.join(", ")})` : "";
  return `${count(secrets, "value")} in ${count(scopes, "scope")}${named}`;
}

/** That what somebody could read stays read, and the command that goes on from there. Nothing when they could read nothing. */
export function sayLost(name: string, reach: readonly ReadableScope[]): string[] {
  if (countReach(reach).secrets === 0) return [];
  return [
    `${name} could read ${sayReach(reach)}; what was read stays read`,
    `only new values end that: sealtree exposure ${name} lists them`,
  ];
}

/** What was done to each scope, in words. */
function sayScopes(scopes: readonly PlannedRekey[], isDryRun: boolean): string[] {
  return scopes.map(({ scope, minted, rewrapped, resealed }) => {
    const parts = [
      ...(minted === undefined ? [] : ["a new generation"]),
      ...(resealed === 0 ? [] : [`${count(resealed, "secret")} sealed again`]),
      ...(rewrapped === 0 ? [] : [`${count(rewrapped, "generation")} wrapped again`]),
    ];
    return `${isDryRun ? "would change" : "changed"} ${scope}: ${parts.join(", ")}`;
  });
}

/** What was done to each scope, for `--json`. */
function describeScopes(scopes: readonly PlannedRekey[]) {
  return scopes.map(({ scope, minted, rewrapped, resealed }) => ({
    scope,
    minted: minted ?? null,
    rewrapped,
    resealed,
  }));
}

/** What is within somebody's reach, for `--json`. */
export function describeReach(reach: readonly ReadableScope[]) {
  const { scopes, secrets } = countReach(reach);
  return { scopes, secrets, by_scope: Object.fromEntries(reach.map((item) => [item.scope, item.secrets.length])) };
}

/** A change of who may read what. */
export interface AccessChange {
  readonly operation: string;
  /** Member who made it, as the policy knew them before. */
  readonly actor: string | undefined;
  readonly reason: string;
  readonly scopes: readonly ScopePath[];
  readonly commit: string | undefined;
}

/** Puts one event a scope into the audit log, or one in all where no scope is concerned. */
export function auditAccess(context: Context, { operation, actor, reason, scopes, commit }: AccessChange): void {
  const event = {
    kind: "accessChanged",
    operation,
    outcome: "ok",
    member: actor,
    knownBy: "identity",
    reason: context.options.note ?? reason,
    commit,
  } as const;
  context.audit(scopes.length === 0 ? [event] : scopes.map((scope) => ({ ...event, scope })));
}

/** A change of what one member may read, done or, on a dry run, to be done. */
export interface MemberChange extends Omit<AccessChange, "scopes"> {
  readonly member: string;
  /** False when the policy said so already. */
  readonly isChanged: boolean;
  /** Of the policy, after it. */
  readonly version: number;
  /** Scopes whose readers are others now, for the audit log. */
  readonly concerned: readonly ScopePath[];
  readonly rekeyed: readonly PlannedRekey[];
}

/** What a command says of its own change: fields of `--json`, and words before and after those on the scopes. */
export interface MemberWords {
  readonly json: Readonly<Record<string, unknown>>;
  readonly before: string;
  readonly after: readonly string[];
}

/** Audits and tells a change of what a member may read. */
export function reportMemberChange(context: Context, change: MemberChange, words: MemberWords): void {
  const { dryRun, json } = context.options;
  const { member, rekeyed, commit, concerned, version } = change;
  const changed = change.isChanged || rekeyed.length > 0;
  if (!dryRun && changed) auditAccess(context, { ...change, scopes: concerned });
  if (json) {
    const scopes = describeScopes(rekeyed);
    context.json({ member, changed, version, ...words.json, scopes, commit: commit ?? null, dry_run: dryRun });
    return;
  }
  for (const line of [words.before, ...sayScopes(rekeyed, dryRun), ...words.after]) context.say(line);
  if (commit !== undefined) context.say(`committed ${commit.slice(0, 9)}`);
}

/** The name under which the policy knows the user; undefined for nobody. */
export async function findActor(context: Context): Promise<string | undefined> {
  const { findOwnMember } = await import("../access/own-member.ts");
  const { findPolicy } = await import("../access/policy.ts");
  const { openWorkTree } = await import("../store/work-tree.ts");
  const { policy } = await findPolicy(openWorkTree(context.place().root));
  return policy === undefined ? undefined : (await findOwnMember(policy, context.session))?.name;
}

/** Texts of an option that may be given several times. */
export function listOption(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
