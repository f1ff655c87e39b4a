import { SealtreeError } from "../errors.ts";
import type { GitPlace } from "../git/place.ts";
import { resolveCommit } from "../git/revision.ts";
import { printAddress, type Address } from "../secret/address.ts";
import { findCommitInForce, findPastTime } from "./past-time.ts";
import { isShallow } from "./scope-commits.ts";
import { findPrevious, listVersions, type Version } from "./versions.ts";

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
 * any name of a commit, or a time before `now`. Throws E_VERSION_NOT_FOUND for a version that is not there or is a
 * removal, and in a shallow clone, where numbers cannot be told; and what findCommit throws.
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
  if (found === undefined) throw missingVersion(what, to, list.versions);
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
export async function findCommit(place: GitPlace, to: string, now: Date): Promise<PastPoint> {
  const timeMs = findPastTime(to, now);
  if (timeMs !== undefined) {
    const commit = await findCommitInForce(place, { text: to, timeMs, now });
    const at = new Date(timeMs).toISOString().replace(/\.\d+Z$/, "Z");
    return { commit, label: `commit ${commit.slice(0, 9)}, in force at ${at}` };
  }
  const commit = await resolveCommit(place, to);
  return { commit, label: `commit ${commit.slice(0, 9)}` };
}

function missingVersion(what: string, to: string, versions: readonly Version[]): SealtreeError {
  const message = to === "previous" ? `${what} has no previous version` : `${what} has no version ${to}`;
  const hint = versions.length === 0 ? `no commit has ${what}` : `sealtree log ${what} lists the versions`;
  return new SealtreeError("E_VERSION_NOT_FOUND", message, { hints: [hint] });
}
