import { SealtreeError } from "../errors.ts";
import type { RemoteBranch } from "../git/remote-branch.ts";
import { printAddress, type Address } from "../secret/address.ts";

/** E_NO_REMOTE for a branch that the remote does not have. `name` is the remote as it may be shown. */
export function noBranch(name: string, branch: string): SealtreeError {
  return new SealtreeError("E_NO_REMOTE", `${name} has no branch ${branch}`, {
    hints: [`git push --set-upstream ${name} ${branch}`],
  });
}

/** E_RACED for an edit that does not fit any more. */
export function lost(address: Address): SealtreeError {
  return new SealtreeError("E_RACED", `another run went on with the rotation of ${printAddress(address)}`, {
    hints: ["sealtree rotation status shows where it is"],
  });
}

/** E_NETWORK for a push without an answer. */
export function unanswered(name: string): SealtreeError {
  return new SealtreeError("E_NETWORK", `${name} did not answer a push`, { hints: ["git push --dry-run shows more"] });
}

/** E_PUSH_REFUSED, with what the remote said. */
export function refused(target: RemoteBranch, name: string, why: string): SealtreeError {
  return new SealtreeError("E_PUSH_REFUSED", `${name} does not take a push to ${target.branch}: ${why}`, {
    hints: [
      "no provider was asked for anything that is not recorded there",
      "let the one who rotates push to it, as by a bypass in the ruleset of the branch",
      "or rotate for a pull request: sealtree rotate --due --branch sealtree/rotation",
    ],
  });
}

/**
 * E_JOURNAL_REGRESSED: `guard` is not in the history of the branch. Whoever may push can bring that about with
 * a commit of their own, so looking comes before merging.
 */
export function regressed(target: RemoteBranch, name: string, guard: string, where: "there" | "here"): SealtreeError {
  const id = guard.slice(0, 12);
  const ref = `refs/sealtree/rotation/${target.branch}`;
  const [look, remove] =
    where === "there"
      ? [`git fetch ${name} ${ref}, then git log --stat HEAD..FETCH_HEAD`, `git push ${name} :${ref}`]
      : [`git log --stat HEAD..${id}`, `git update-ref -d ${ref}`];
  return new SealtreeError(
    "E_JOURNAL_REGRESSED",
    `journal regressed: ${target.branch} does not have ${id}, to which ${ref} says that rotations went`,
    {
      hints: [
        `look first: ${look}`,
        `nobody's known work: ${remove} takes the marker away; ask who pushed it`,
        `a rotation's own work, which was moved back: git merge ${id}, and push`,
        "docs/rotation-engine.md says what to do when the history was rewritten on purpose",
      ],
    },
  );
}
