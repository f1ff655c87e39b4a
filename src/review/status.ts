import { findOwnMember } from "../access/own-member.ts";
import { isAllowed } from "../access/permission.ts";
import type { Session } from "../access/session.ts";
import { isSealtreeError } from "../errors.ts";
import { listUncommitted } from "../git/changes.ts";
import { hasGit, type GitPlace } from "../git/place.ts";
import { readGitSetup, type GitSetup } from "../history/git-setup.ts";
import { isDue, rotationStatus } from "../rotation/status.ts";
import { attributesPath, policiesDirectory, secretsDirectory } from "../store/layout.ts";
import type { Tree } from "../store/tree.ts";
import { openWorkTree } from "../store/work-tree.ts";
import { runChecks } from "./run-checks.ts";
import { readReviewState } from "./state.ts";

/** How a repository stands, in a few numbers. */
export interface RepositoryStatus {
  /** The member the user is; undefined for nobody's identity. */
  readonly member: { readonly name: string; readonly roles: readonly string[] } | undefined;
  readonly scopes: number;
  /** Scopes the member may read. */
  readonly readable: number;
  readonly secrets: number;
  readonly errors: number;
  readonly warnings: number;
  /** Secrets whose rotation is due or overdue; undefined when the rotation policy cannot be read. */
  readonly due: { readonly due: number; readonly overdue: number } | undefined;
  /** Our files that are not committed as they stand. */
  readonly uncommitted: readonly string[];
  /** Undefined for a tree without git. */
  readonly setup: GitSetup | undefined;
}

/** The work tree's status. Needs no key. Throws E_NOT_INITIALISED. */
export async function readStatus(session: Session, self: readonly [string, string]): Promise<RepositoryStatus> {
  const { place } = session;
  const tree = openWorkTree(place.root);
  const state = await readReviewState(tree);
  const findings = runChecks(state);
  const { policy, scopes } = state;
  const member = policy === undefined ? undefined : await findOwnMember(policy, session);
  const readable =
    policy === undefined || member === undefined
      ? []
      : scopes.filter(({ scope }) => isAllowed(policy, member, "read", scope));
  const errors = findings.filter(({ severity }) => severity === "error").length;
  return {
    member: member === undefined ? undefined : { name: member.name, roles: member.roles },
    scopes: scopes.length,
    readable: readable.length,
    secrets: scopes.reduce((total, { entries }) => total + entries.size, 0),
    errors,
    warnings: findings.length - errors,
    due: await countDue(tree, session.now()),
    ...(await readGit(place, self)),
  };
}

async function countDue(tree: Tree, now: Date): Promise<RepositoryStatus["due"]> {
  try {
    const due = (await rotationStatus(tree, now)).entries.filter(isDue);
    const overdue = due.filter(({ state }) => state === "overdue").length;
    return { due: due.length - overdue, overdue };
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}

async function readGit(
  place: GitPlace,
  self: readonly [string, string],
): Promise<Pick<RepositoryStatus, "uncommitted" | "setup">> {
  if (!hasGit(place)) return { uncommitted: [], setup: undefined };
  const changes = await listUncommitted(place, [secretsDirectory, policiesDirectory, attributesPath]);
  return { uncommitted: changes.map(({ path }) => path), setup: await readGitSetup(place, self) };
}
