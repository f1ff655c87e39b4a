import { secretOf } from "./damage.ts";
import { dayMs, type World } from "./world.ts";

/** The branch that rotations are recorded on, for a pull request into main. */
export const branch = "sealtree/rotation";

/** How somebody ends a pull request. `closed` merges nothing; each but `merge` removes the branch. */
export type Ending = "merge" | "merge and delete" | "squash" | "rebase" | "closed";

/** One run of the engine that records for a pull request. */
export function rotateForMerge(world: World, request: Parameters<World["rotate"]>[0] = {}) {
  return world.rotate(request, undefined, { forMerge: branch });
}

/** Ends the pull request as a git host does. */
export async function endPullRequest(world: World, ending: Ending): Promise<void> {
  const isThere = world.git("for-each-ref", `refs/heads/${branch}`) !== "";
  if (isThere && ending !== "closed") {
    await world.person(async ({ git }) => {
      const tip = `origin/${branch}`;
      if (ending === "squash") {
        git("merge", "--quiet", "--squash", tip);
        git("commit", "--quiet", "--allow-empty", "-m", "squashed");
      } else if (ending === "rebase") {
        git("checkout", "--quiet", "--detach", tip);
        git("rebase", "--quiet", "--force-rebase", "main");
      } else git("merge", "--quiet", "--no-ff", "-m", "merged", tip);
    });
  }
  if (isThere && ending !== "merge") world.git("update-ref", "-d", `refs/heads/${branch}`);
}

/**
 * What must hold at any instant while programs take their values from main: what they take is let
 * in, and every live credential is in main, in the branch, or where the branch was.
 */
export async function findMergeDamage(world: World): Promise<string[]> {
  const main = await world.head();
  const guard = `refs/sealtree/rotation/${branch}`;
  const guarded = world.git("for-each-ref", guard) === "" ? main : await world.head(guard);
  const alive = [...world.provider.live.values()];
  const held = [...main.held, ...guarded.held];
  const lost = alive.filter((value) => !held.includes(value));
  const mayLose = guarded.journal?.state === "claimed" ? 1 : 0;
  return [
    ...(alive.includes(secretOf(main.live)) ? [] : ["what main gives is dead"]),
    ...(lost.length > mayLose ? [`${lost.length} live credentials are nowhere in the repository`] : []),
  ];
}

/** Merges and lets graces end until nothing is left to do; gives what is wrong on the way and at the end. */
export async function finishForMerge(world: World, ending: Ending = "merge"): Promise<string[]> {
  const damage: string[] = [];
  for (let round = 1; round <= 6; round++) {
    // Git cannot rebase again what a rebase brought to main already, and git hosts say so.
    await endPullRequest(world, ending === "rebase" && round > 1 ? "squash" : ending);
    damage.push(...(await findMergeDamage(world)).map((what) => `after merge ${round}: ${what}`));
    if ((await world.head()).journal === undefined) break;
    world.nowMs += dayMs;
    const [end] = await rotateForMerge(world, { wants: "finish" });
    if (end?.outcome.kind === "failed") damage.push(`end ${round} failed: ${end.outcome.message}`);
    damage.push(...(await findMergeDamage(world)).map((what) => `after end ${round}: ${what}`));
  }
  const { live, journal } = await world.head();
  if (journal !== undefined) damage.push(`a journal in the state ${journal.state} is left`);
  const left = [...world.provider.live.values(), ...world.provider.suspended.values()];
  if (left.length !== 1 || left[0] !== secretOf(live)) damage.push(`${left.length} credentials are left`);
  return damage;
}
