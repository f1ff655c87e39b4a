import { SealtreeError } from "../errors.ts";
import type { ScopePath } from "../secret/address.ts";
import { compareText } from "../secret/text-order.ts";
import type { Finding } from "../store/finding.ts";
import { accessPolicyPath } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import type { ReviewBase } from "./base.ts";
import { rules } from "./checks/registry.ts";
import { readScopeBytes, reviewScope, type ReviewedScope } from "./reviewed-scope.ts";
import type { Rule } from "./rule.ts";
import { readReviewState, type ReviewState, type ScopeSummary } from "./state.ts";

export interface ReviewOptions {
  readonly now: Date;
  /** What the tree is compared with, where there is something. */
  readonly base?: ReviewBase | undefined;
  /** Looks deeper into each scope; what it finds is added. */
  onScope?(scope: ReviewedScope): Promise<readonly Finding[]>;
  /** Looks at the whole, after all scopes; what it finds is added. */
  onTree?(): Promise<readonly Finding[]>;
}

/** What the checks found in a tree. */
export interface Review {
  /** By file, line and rule. */
  readonly findings: readonly Finding[];
  readonly scopes: readonly ScopeSummary[];
  readonly state: ReviewState;
}

/** Scopes that are read at once: enough to keep git busy, few enough for memory. */
const batchSize = 16;

/**
 * Runs every check on a tree. Needs no key. Reads each file once, and keeps no scope longer than
 * it takes to check it. Throws E_NOT_INITIALISED for a tree that has nothing of sealtree.
 */
export async function runChecks(tree: Tree, options: ReviewOptions): Promise<Review> {
  const state = await readReviewState(tree, options);
  if (state.paths.length + state.reader.unsafe.length === 0) {
    throw new SealtreeError("E_NOT_INITIALISED", `no ${accessPolicyPath} in ${tree.label}`, {
      hints: ["start with: sealtree init"],
    });
  }
  const all: readonly Rule[] = rules;
  const findings: Finding[] = [];
  const scopes: ScopeSummary[] = [];
  for await (const reviewed of readScopes(state)) {
    for (const rule of all) findings.push(...(rule.checkScope?.(reviewed, state) ?? []));
    findings.push(...((await options.onScope?.(reviewed)) ?? []));
    scopes.push(summarise(reviewed));
  }
  for (const rule of all) findings.push(...(rule.checkTree?.(state, scopes) ?? []));
  findings.push(...((await options.onTree?.()) ?? []));
  return { findings: sortFindings(findings), scopes, state };
}

/** By file, line, rule and message, so that two runs print the same. */
function sortFindings(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (a, b) =>
      compareText(a.file, b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      compareText(a.rule, b.rule) ||
      compareText(a.message, b.message),
  );
}

async function* readScopes(state: ReviewState): AsyncGenerator<ReviewedScope, void, void> {
  const { reader, base } = state;
  const scopes: (readonly [ScopePath, readonly string[]])[] = [...state.scopes];
  for (let start = 0; start < scopes.length; start += batchSize) {
    const batch = scopes.slice(start, start + batchSize);
    const read = await Promise.all(batch.map(async ([scope, ids]) => await readScopeBytes(reader, scope, ids, base)));
    for (const bytes of read) yield reviewScope(bytes, state);
  }
}

function summarise({ scope, file, entries, drops, readers, rotation }: ReviewedScope): ScopeSummary {
  const countOf = (state: "due" | "overdue") => rotation.filter((secret) => secret.state === state).length;
  return {
    scope,
    file,
    secrets: entries.size,
    drops: drops.size,
    readers,
    due: countOf("due"),
    overdue: countOf("overdue"),
  };
}
