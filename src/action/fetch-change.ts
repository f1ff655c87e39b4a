import { SealtreeError } from "../errors.ts";
import { isBefore } from "../git/ancestors.ts";
import type { GitPlace } from "../git/place.ts";
import { fetchRefs } from "../git/remote-branch.ts";
import { findHead } from "../git/revision.ts";
import type { GithubRepository } from "../github/repository.ts";
import type { Secret } from "../secret/secret.ts";
import { credentialHeader, gitCredentials, serverOf } from "./git-credentials.ts";
import type { Job } from "./job.ts";

export interface WantedChange {
  readonly repository: GithubRepository;
  readonly token: Secret;
  /** Of the pull request. */
  readonly number: number;
  /** Name of the branch that it is to go into. */
  readonly base: string;
}

/**
 * Brings a pull request's commits into the clone as objects, and gives the ids of its head and of
 * the branch that it is to go into. Checks nothing out and moves no branch; git alone has the token,
 * for that one call. Throws E_NETWORK, E_REVISION_NOT_FOUND for what is not there, and
 * E_ACTION_REFUSED where the change was checked out on `workflow_run`.
 */
export async function fetchChange(
  { env, io, event, place, runner }: Job,
  { repository, token, number, base }: WantedChange,
): Promise<{ readonly head: string; readonly base: string }> {
  runner.mask([credentialHeader(token)]);
  const asking: GitPlace = { root: place.root, env: gitCredentials(env, token) };
  const address = `${serverOf(io.env)}/${repository.owner}/${repository.name}`;
  const own = event.name === "workflow_run" ? event.defaultBranch : undefined;
  const refs = { head: `refs/pull/${number}/head`, base: `refs/heads/${base}`, own: `refs/heads/${own ?? base}` };
  const found = await fetchRefs(asking, address, [...new Set(Object.values(refs))]);
  const idOf = (ref: string) => {
    const id = found.get(ref);
    if (id !== undefined) return id;
    throw new SealtreeError("E_REVISION_NOT_FOUND", "the remote has no such pull request, or not its base any more");
  };
  if (own !== undefined) await checkOwn(place, idOf(refs.own));
  return { head: idOf(refs.head), base: idOf(refs.base) };
}

/** A token that writes and the files of a stranger in one job: whatever else runs there, it must not. */
async function checkOwn(place: GitPlace, tip: string): Promise<void> {
  const head = await findHead(place);
  if (head === undefined || head === tip || (await isBefore(place, head, tip))) return;
  throw new SealtreeError(
    "E_ACTION_REFUSED",
    "what is checked out is not of the default branch, and this job may write",
    {
      hints: ["take ref: out of actions/checkout in this workflow: comment needs nothing of the change checked out"],
    },
  );
}
