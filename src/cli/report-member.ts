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
export function sayScopes(scopes: readonly PlannedRekey[], isDryRun: boolean): string[] {
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
export function describeScopes(scopes: readonly PlannedRekey[]) {
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
