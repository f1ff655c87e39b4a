import type { Policy } from "../access/policy.ts";
import { hasCode } from "../errors.ts";
import type { RotationPolicy } from "../rotation/policy.ts";
import type { ScopePath } from "../secret/address.ts";
import type { CommitTree } from "../store/commit-tree.ts";
import type { Finding } from "../store/finding.ts";
import { accessPolicyPath, membersDirectory, policiesDirectory, rotationPolicyPath } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import { differs } from "./base.ts";
import type { AccessSides } from "./report-access.ts";
import { takeSnapshot, type ScopeSnapshot, type Snapshots } from "./report-snapshot.ts";
import { runChecks } from "./run-checks.ts";
import { createReaderLookup } from "./scope-readers.ts";

/** One of the two trees of a report, as the checks see it. */
export interface ReportSide {
  readonly findings: readonly Finding[];
  readonly snapshots: Snapshots;
  readonly policy: Policy | undefined;
  readonly rotation: RotationPolicy | undefined;
}

/** A tree without anything of sealtree, as it is before `sealtree init`. */
export const emptySide: ReportSide = { findings: [], snapshots: new Map(), policy: undefined, rotation: undefined };

/** What is left when all of sealtree was removed. */
export const goneSide: ReportSide = {
  ...emptySide,
  findings: [
    {
      rule: "policy",
      severity: "error",
      message: "all secrets and policies are gone",
      file: accessPolicyPath,
      hint: "restore them, or say in the pull request that this is meant",
    },
  ],
};

/**
 * Runs the checks on a tree and keeps what a report needs; undefined for one that has nothing of
 * sealtree. With `base` they look back too.
 */
export async function readSide(tree: Tree, now: Date, base?: CommitTree): Promise<ReportSide | undefined> {
  const snapshots = new Map<ScopePath, ScopeSnapshot>();
  try {
    const { findings, state } = await runChecks(tree, {
      now,
      base: base === undefined ? undefined : { tree: base, isOneStep: false },
      onScope(scope) {
        snapshots.set(scope.scope, takeSnapshot(scope));
        return Promise.resolve([]);
      },
    });
    return { findings, snapshots, policy: state.policy, rotation: state.rotation };
  } catch (error) {
    if (hasCode(error, "E_NOT_INITIALISED")) return undefined;
    throw error;
  }
}

/** Both sides for {@link AccessSides}. */
export function toAccessSides(before: ReportSide, after: ReportSide): AccessSides {
  return {
    before: before.snapshots,
    after: after.snapshots,
    oldPolicy: before.policy,
    newPolicy: after.policy,
    oldReadersOf: lookUp(before),
    newReadersOf: lookUp(after),
  };
}

/** Paths below `policies/` that changed and are not the policy, a key file or the rotation policy, sorted. */
export async function listOtherFiles(base: CommitTree, tree: Tree): Promise<string[]> {
  const told = (path: string) =>
    path === accessPolicyPath || path === rotationPolicyPath || path.startsWith(`${membersDirectory}/`);
  const paths = new Set<string>();
  for (const side of [base, tree]) {
    try {
      for (const path of await side.list(policiesDirectory)) if (!told(path)) paths.add(path);
    } catch (error) {
      if (!hasCode(error, "E_UNSAFE_FILE")) throw error;
    }
  }
  const changed: string[] = [];
  for (const path of [...paths].toSorted()) {
    try {
      if (differs({ tree: base, isOneStep: false }, path, await tree.read(path))) changed.push(path);
      else if (base.idOf(path) === undefined) changed.push(path);
    } catch (error) {
      if (!hasCode(error, "E_UNSAFE_FILE")) throw error;
      changed.push(path);
    }
  }
  return changed;
}

/** Names of the readers of a scope; one set for all scopes with the same ones. */
function lookUp({ policy, snapshots }: ReportSide): (scope: ScopePath) => ReadonlySet<string> | undefined {
  if (policy === undefined) return () => undefined;
  const readersOf = createReaderLookup(policy);
  const known = new Map<object, ReadonlySet<string>>();
  return (scope) => {
    const allowed = snapshots.get(scope)?.allowed;
    if (allowed !== undefined) return allowed;
    const readers = readersOf(scope);
    const names = known.get(readers) ?? new Set(readers.readers.map(({ name }) => name));
    known.set(readers, names);
    return names;
  };
}
