import { SealtreeError } from "../errors.ts";
import type { GitPlace } from "../git/place.ts";
import { isRevision, resolveCommit } from "../git/revision.ts";
import { printAddress, type Address, type ScopePath } from "../secret/address.ts";
import { findCommitInForce, findPastTime } from "./past-time.ts";
import { neverCommitted } from "./never-committed.ts";
import { isShallow } from "./scope-commits.ts";
import { findPrevious, listVersions } from "./versions.ts";

/** A point of history to go back to. */
export interface PastPoint {
  /** Full id. */
  readonly commit: string;
  /** Such as `version 3, commit 1a2b3c4d5`, for messages. */
  readonly label: string;
}

const versionNumber = /^[1-9][0-9]{0,5}$/;

/**
 * The point that `to` names for a secret: a version number of {@link listVersions}, `previous`,
 * any name of a commit, or a time before `now`. Throws E_SECRET_NOT_FOUND for a secret that never
 * was, E_VERSION_NOT_FOUND for a version that is not there or is a removal, and in a shallow
 * clone, where numbers cannot be told; and what findCommit throws.
 */
export async function findVersion(place: GitPlace, address: Address, to: string, now: Date): Promise<PastPoint> {
  if (to !== "previous" && !versionNumber.test(to)) return await findCommit(place, to, now);
  if (await isShallow(place)) {
    throw new SealtreeError("E_VERSION_NOT_FOUND", "this clone is shallow, so versions cannot be counted", {
      hints: ["git fetch --unshallow, or name a commit"],
    });
  }
  const list = await listVersions(place, address);
  const found = to === "previous" ? findPrevious(list) : list.versions[Number(to) - 1];
  const what = printAddress(address);
  if (found === undefined && list.versions.length === 0) throw await neverCommitted(place, address);
  if (found === undefined) {
    const missing = to === "previous" ? "no previous version" : `no version ${to}`;
    throw new SealtreeError("E_VERSION_NOT_FOUND", `${what} has ${missing}`, {
      hints: [`sealtree log ${what} lists the versions`],
    });
  }
  if (found.valueId === undefined) {
    throw new SealtreeError("E_VERSION_NOT_FOUND", `version ${found.version} of ${what} is its removal`, {
      hints: [`to remove it: sealtree unset ${what}`, `sealtree log ${what} lists the versions`],
    });
  }
  return { commit: found.commit, label: `version ${found.version}, commit ${found.commit.slice(0, 9)}` };
}

/**
 * The commit that `to` names, or the one that was in force at the time it names. Throws
 * E_REVISION_NOT_FOUND and what findCommitInForce throws.
 */
async function findCommit(place: GitPlace, to: string, now: Date): Promise<PastPoint> {
  const timeMs = findPastTime(to, now);
  if (timeMs !== undefined) {
    const commit = await findCommitInForce(place, { text: to, timeMs, now });
    const at = new Date(timeMs).toISOString().replace(/\.\d+Z$/, "Z");
    return { commit, label: `commit ${commit.slice(0, 9)}, in force at ${at}` };
  }
  const commit = await resolveCommit(place, to, "a time is written as 2026-11-01, 2026-11-01T12:00Z, 3d or 12h");
  return { commit, label: `commit ${commit.slice(0, 9)}` };
}

/** {@link findCommit} for a whole scope, which has no versions to count. Throws E_USAGE for a version, too. */
export async function findScopePoint(place: GitPlace, scope: ScopePath, to: string, now: Date): Promise<PastPoint> {
  const isVersion = (to === "previous" || versionNumber.test(to)) && !(await isRevision(place, to));
  if (!isVersion) return await findCommit(place, to, now);
  throw new SealtreeError("E_USAGE", "versions are counted for one secret, not for a scope", {
    hints: [
      `name a commit of sealtree log ${scope}, or a time`,
      `or one secret: sealtree rollback ${scope}/NAME --to ${to}`,
    ],
  });
}
