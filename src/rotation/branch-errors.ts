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

/** E_JOURNAL_REGRESSED: `guard` is not in the history of the branch any more. */
export function regressed(target: RemoteBranch, name: string, guard: string): SealtreeError {
  const id = guard.slice(0, 12);
  return new SealtreeError(
    "E_JOURNAL_REGRESSED",
    `journal regressed: ${target.branch} was moved back behind ${id}, which records rotations that were done`,
    {
      hints: [
        `bring it back: git fetch ${name} refs/sealtree/rotation/${target.branch}, then git merge FETCH_HEAD, and push`,
        "docs/rotation-engine.md says what to do when the history was rewritten on purpose",
      ],
    },
  );
}
