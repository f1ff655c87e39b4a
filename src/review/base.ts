import { createHash } from "node:crypto";
import { hasCode, SealtreeError } from "../errors.ts";
import { isMerging, listParents } from "../git/ancestors.ts";
import { listMergeBases } from "../git/commit-graph.ts";
import { hasGit, type GitPlace } from "../git/place.ts";
import { findHead, resolveCommit } from "../git/revision.ts";
import { openCommitTree, type CommitTree } from "../store/commit-tree.ts";

/** The earlier commit that a tree is compared with. Close it when done. */
export interface ReviewBase {
  readonly tree: CommitTree;
  /** True when the tree is one step from it: the work tree on HEAD, or a commit on its only parent. */
  readonly isOneStep: boolean;
}

/** What is checked, and against what. */
export interface BaseRequest {
  /** Revision that is checked; undefined for the work tree. */
  readonly at: string | undefined;
  /** Revision to compare with; undefined for the nearest: HEAD, or the first parent of `at`. */
  readonly base: string | undefined;
}

/**
 * Opens what a tree is compared with: where its history and that of `base` parted, or the commit
 * right before it. Undefined where there is none: before the first commit, at the end of a
 * shallow clone, and without git. Throws E_REVISION_NOT_FOUND for a `base` that cannot be used, and
 * E_BASE_UNCLEAR for one whose history parted from the other in several places.
 */
export async function openBase(place: GitPlace, request: BaseRequest): Promise<ReviewBase | undefined> {
  if (request.base !== undefined) return await openNamed(place, request.base, request.at);
  if (!hasGit(place)) return undefined;
  try {
    return await openNearest(place, request.at);
  } catch (error) {
    // Such as a repository of another user, which git refuses to read: the work tree is checked all the same.
    if (request.at === undefined && hasCode(error, "E_GIT_FAILED")) return undefined;
    throw error;
  }
}

/** True when the tree at `path` of the base has other bytes than these; false when it has no such file. */
export function differs({ tree }: ReviewBase, path: string, bytes: Uint8Array | undefined): boolean {
  const id = tree.idOf(path);
  if (id === undefined || bytes === undefined) return id !== undefined;
  const hash = createHash(id.length === 64 ? "sha256" : "sha1");
  return hash.update(`blob ${bytes.length}\0`).update(bytes).digest("hex") !== id;
}

async function openNearest(place: GitPlace, at: string | undefined): Promise<ReviewBase | undefined> {
  if (at === undefined) {
    const head = await findHead(place);
    if (head === undefined) return undefined;
    return { tree: await openCommitTree(place, head), isOneStep: !(await isMerging(place)) };
  }
  const [first, ...others] = await listParents(place, await resolveCommit(place, at));
  return first === undefined ? undefined : { tree: await openCommitTree(place, first), isOneStep: others.length === 0 };
}

async function openNamed(place: GitPlace, base: string, at: string | undefined): Promise<ReviewBase> {
  const [from, to] = [await resolveCommit(place, base), await resolveCommit(place, at ?? "HEAD")];
  const [parted, ...others] = await listMergeBases(place, from, to);
  if (parted === undefined) {
    throw new SealtreeError("E_REVISION_NOT_FOUND", "the base and what is checked have no commit in common here", {
      hints: ["in a shallow clone, fetch more: git fetch --unshallow, or fetch-depth: 0 in a workflow"],
    });
  }
  if (others.length > 0) throw baseUnclear();
  return { tree: await openCommitTree(place, parted), isOneStep: false };
}

/** What is judged by one of several places where two histories parted may be another thing than what a merge does. */
export function baseUnclear(): SealtreeError {
  return new SealtreeError(
    "E_BASE_UNCLEAR",
    "the two histories join in more than one place, and each would tell another change",
    {
      hints: ["merge the base into the branch once: git merge BASE, which leaves one place to compare with"],
    },
  );
}
