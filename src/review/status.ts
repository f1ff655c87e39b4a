import { findOwnMember } from "../access/own-member.ts";
import { isAllowed } from "../access/permission.ts";
import type { Session } from "../access/session.ts";
import { listUncommitted } from "../git/changes.ts";
import { findGitDirectories } from "../git/commit.ts";
import { findOperation, type GitOperation } from "../git/in-progress.ts";
import { hasGit, type GitPlace } from "../git/place.ts";
import { listUnmerged } from "../git/unmerged.ts";
import { readGitSetup, type GitSetup } from "../history/git-setup.ts";
import { findMergedKind } from "../history/merge-content.ts";
import type { Finding } from "../store/finding.ts";
import { attributesPath, policiesDirectory, rotationPolicyPath, secretsDirectory } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { openBase } from "./base.ts";
import { runChecks, type Review } from "./run-checks.ts";
import type { ScopeSummary } from "./state.ts";

/** How a repository stands, in a few numbers. */
export interface RepositoryStatus {
  /** The member the user is; undefined for nobody's identity. */
  readonly member: { readonly name: string; readonly roles: readonly string[] } | undefined;
  readonly scopes: number;
  /** Scopes the member may read. */
  readonly readable: number;
  readonly secrets: number;
  /** How many of them are drops, which wait for a reader to adopt them. */
  readonly drops: number;
  readonly errors: number;
  readonly warnings: number;
  /** Secrets whose rotation is due or overdue; undefined when the rotation policy cannot be read. */
  readonly due: { readonly due: number; readonly overdue: number } | undefined;
  /** Our files that are not committed as they stand. */
  readonly uncommitted: readonly string[];
  /** What git was stopped in, such as a merge. */
  readonly operation: GitOperation | undefined;
  /** Our files that it left in conflict. */
  readonly conflicts: readonly string[];
  /** Undefined for a tree without git. */
  readonly setup: GitSetup | undefined;
}

/** The work tree's status. Needs no key. Throws E_NOT_INITIALISED. */
export async function readStatus(session: Session, self: readonly [string, string]): Promise<RepositoryStatus> {
  const { place } = session;
  const tree = openWorkTree(place.root);
  const { findings, scopes, state } = await reviewWorkTree(tree, session);
  const { policy } = state;
  const member = policy === undefined ? undefined : await findOwnMember(policy, session);
  const readable =
    policy === undefined || member === undefined
      ? []
      : scopes.filter(({ scope }) => isAllowed(policy, member, "read", scope));
  const countOf = (severity: Finding["severity"]) => findings.filter((finding) => finding.severity === severity).length;
  return {
    member: member === undefined ? undefined : { name: member.name, roles: member.roles },
    scopes: scopes.length,
    readable: readable.length,
    secrets: sum(scopes, ({ secrets }) => secrets),
    drops: sum(scopes, ({ drops }) => drops),
    errors: countOf("error"),
    warnings: countOf("warning"),
    due:
      state.rotation === undefined && findings.some(({ file }) => file === rotationPolicyPath)
        ? undefined
        : { due: sum(scopes, ({ due }) => due), overdue: sum(scopes, ({ overdue }) => overdue) },
    ...(await readGit(place, self)),
  };
}

async function reviewWorkTree(tree: Tree, session: Session): Promise<Review> {
  const base = await openBase(session.place, { at: undefined, base: undefined });
  try {
    return await runChecks(tree, { now: session.now(), base });
  } finally {
    base?.tree.close();
  }
}

function sum(scopes: readonly ScopeSummary[], of: (scope: ScopeSummary) => number): number {
  return scopes.reduce((total, scope) => total + of(scope), 0);
}

async function readGit(
  place: GitPlace,
  self: readonly [string, string],
): Promise<Pick<RepositoryStatus, "uncommitted" | "operation" | "conflicts" | "setup">> {
  if (!hasGit(place)) return { uncommitted: [], operation: undefined, conflicts: [], setup: undefined };
  const changes = await listUncommitted(place, [secretsDirectory, policiesDirectory, attributesPath]);
  const operation = findOperation((await findGitDirectories(place)).gitDirectory);
  const unmerged = (await listUnmerged(place)).filter(({ path }) => findMergedKind(path) !== undefined);
  return {
    uncommitted: changes.map(({ path }) => path),
    operation,
    conflicts: unmerged.map(({ path }) => path),
    setup: await readGitSetup(place, self),
  };
}
