import { loadPolicy } from "../access/policy.ts";
import { SealtreeError } from "../errors.ts";
import type { GitPlace } from "../git/place.ts";
import { listTree } from "../git/revision.ts";
import { git } from "../git/run.ts";
import { openCommitTree } from "../store/commit-tree.ts";
import { attributesPath, modulesPath, parseSecretsPath, policiesDirectory, secretsDirectory } from "../store/layout.ts";

/** A commit that the trunk's policy does not accept; undefined for what is wrong with the clone. */
export interface RefusedCommit {
  readonly commit: string | undefined;
  /** One sentence without capital and full stop. */
  readonly message: string;
}

/**
 * Judges the commits that `tip` has and `trunkTip` lacks by the policy of `trunkTip`, as `sealtree verify
 * --range` does. Gives what that policy refuses; what it only warns of, the judge says itself.
 */
export type BranchJudge = (trunkTip: string, tip: string) => Promise<readonly RefusedCommit[]>;

/** A branch for a pull request as the remote has it. */
export interface ForeignBranch {
  /** The remote as it may be shown. */
  readonly remote: string;
  readonly branch: string;
  /** The ref that `tip` came from. */
  readonly ref: string;
  readonly tip: string;
  readonly trunkTip: string;
}

/**
 * Throws E_BRANCH_UNTRUSTED when a commit of the branch is not accepted by the policy of its trunk. A
 * policy with `signing: off` accepts all. Needs the whole history of both.
 */
export async function checkSignedBranch(
  place: GitPlace,
  found: ForeignBranch,
  judge: BranchJudge | undefined,
): Promise<void> {
  const trunk = await openCommitTree(place, found.trunkTip);
  try {
    const { signing } = await loadPolicy(trunk);
    if (signing === "off") return;
  } finally {
    trunk.close();
  }
  if (judge === undefined) throw new Error("a policy that asks for signatures needs somebody who judges them");
  const refused = await judge(found.trunkTip, found.tip);
  const [first] = refused;
  if (first === undefined) return;
  const which = first.commit === undefined ? "this clone" : `its commit ${first.commit.slice(0, 12)}`;
  const more = refused.length === 1 ? "" : ` (and ${refused.length - 1} more)`;
  throw untrusted(found, `the trunk's policy does not accept ${which}: ${first.message}${more}`);
}

/**
 * Throws E_BRANCH_UNTRUSTED unless `merged`, the branch with all that its trunk has, has the policies,
 * members and keys of the trunk, file by file. A rotation writes records and journals alone: a key that
 * only the branch has may be known to whoever pushed it.
 */
export async function checkKeysOfTrunk(place: GitPlace, found: ForeignBranch, merged: string): Promise<void> {
  if (merged === found.trunkTip) return;
  const [own, trunk] = [await listGuarded(place, merged), await listGuarded(place, found.trunkTip)];
  const changed = [...new Set([...own.keys(), ...trunk.keys()])]
    .filter((path) => own.get(path) !== trunk.get(path))
    .sort();
  const [path] = changed;
  if (path === undefined) return;
  const range = `${found.trunkTip}..${found.tip}`;
  const log = ["--literal-pathspecs", "log", "-1", "--full-history", "--format=%H", range, "--", path];
  const commit = (await git(place, log)).trim();
  const by = commit === "" ? "" : `, by its commit ${commit.slice(0, 12)}`;
  const more = changed.length === 1 ? "" : ` and ${changed.length - 1} more`;
  throw untrusted(found, `it changes ${path}${more}${by}, and a rotation changes no keys or policies there`);
}

/** What only the trunk may change, with mode and object. */
async function listGuarded(place: GitPlace, commit: string): Promise<ReadonlyMap<string, string>> {
  const entries = await listTree(place, commit, [secretsDirectory, policiesDirectory, attributesPath, modulesPath]);
  return new Map(
    entries.flatMap(({ path, mode, type, id }) => {
      const kind = parseSecretsPath(path)?.kind;
      return kind === "scope" || kind === "journal" ? [] : [[path, `${mode} ${type} ${id}`] as const];
    }),
  );
}

function untrusted({ remote, branch, ref, trunkTip }: ForeignBranch, why: string): SealtreeError {
  const guard = `refs/sealtree/rotation/${branch}`;
  return new SealtreeError("E_BRANCH_UNTRUSTED", `${ref} is not only the work of rotations: ${why}`, {
    hints: [
      `nothing of it was used, and nothing was sent; look first: git fetch ${remote} ${ref}, then git log --stat ${trunkTip.slice(0, 12)}..FETCH_HEAD`,
      "ask who pushed it: whoever can push there can propose values for your secrets",
      `to keep the rotations before it, put both back to the last good commit: git push --force ${remote} GOOD:refs/heads/${branch} GOOD:${guard}`,
      `when nothing of it is yours, take away what is there: git push ${remote} :refs/heads/${branch}, git push ${remote} :${guard}, and in clones that rotate git update-ref -d ${guard}`,
    ],
  });
}

/** E_ROTATION_NOT_DONE: a branch for a pull request gets no keys of its own, so the trunk must have a current one. */
export function rekeyFirst(scope: string): SealtreeError {
  return new SealtreeError("E_ROTATION_NOT_DONE", `${scope} has no key for its present readers alone`, {
    hints: [
      `on the branch that programs read, first: sealtree rekey ${scope}, and push`,
      "a rotation for a pull request makes no keys: it takes those of the branch that it goes into",
    ],
  });
}
