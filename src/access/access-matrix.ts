import type { ScopePath } from "../secret/address.ts";
import { listScopes } from "../store/keyring.ts";
import type { Tree } from "../store/tree.ts";
import { explainMember } from "./explain.ts";
import { isAdmin } from "./permission.ts";
import { sortedMembers, type Policy } from "./policy.ts";
import type { Action } from "./policy-schema.ts";
import { matchesPatterns } from "./scope-pattern.ts";

/** Who may do what where: a row a scope, a column a member. */
export interface AccessMatrix {
  readonly members: readonly {
    readonly name: string;
    readonly kind: "person" | "machine";
    readonly isAdmin: boolean;
  }[];
  readonly rows: readonly {
    readonly scope: ScopePath;
    /** What each member may do, in the order of `members`. */
    readonly cells: readonly (readonly Action[])[];
  }[];
  /** Keys that every scope is wrapped to. */
  readonly recovery: readonly string[];
}

/** The matrix of the scopes in a tree that one of `patterns` covers. Needs no key. */
export async function readAccessMatrix(tree: Tree, policy: Policy, patterns: readonly string[]): Promise<AccessMatrix> {
  const members = sortedMembers(policy);
  const scopes = (await listScopes(tree)).filter((scope) => matchesPatterns(patterns, scope, ""));
  return {
    members: members.map((member) => ({ name: member.name, kind: member.kind, isAdmin: isAdmin(policy, member) })),
    rows: scopes.map((scope) => ({
      scope,
      cells: members.map((member) => explainMember(policy, member, scope).allowed),
    })),
    recovery: [...policy.recovery.keys()],
  };
}
