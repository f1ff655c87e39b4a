import { availableParallelism } from "node:os";
import { pluginOf } from "../crypto/plugin-identity.ts";
import type { ScopePath } from "../secret/address.ts";
import type { Tree } from "../store/tree.ts";
import type { OnProgress } from "../store/write.ts";
import type { Policy } from "./policy.ts";
import { openRekey, type OpenRekey, type PlannedRekey, type RekeyOptions } from "./rekey.ts";
import { sealJob, weighJob } from "./seal-job.ts";
import type { SealPool } from "./seal-pool.ts";
import type { Session } from "./session.ts";

/** Most workers; each takes some 25 MB. */
const maxWorkers = 8;
/** The work, as {@link weighJob} counts it, from which workers repay their start. */
const workForWorkers = 1000;
/** How many scopes are open at a time when a plugin takes part: one call of it serves them all. */
const pluginWidth = 128;

/**
 * Plans what makes scopes agree with the policy ({@link openRekey}), in the order given; one
 * that agrees already has no files to write. Everything is opened and sealed when this
 * returns, and nothing is written, so a caller can do all or nothing. Identities are used in
 * this thread only; much sealing is shared out over worker threads. Throws what opening and
 * sealing throw, for one of the scopes that cannot be planned.
 */
export async function planRekeys(
  session: Session,
  policy: Policy,
  tree: Tree,
  scopes: readonly ScopePath[],
  options: RekeyOptions,
  onProgress: OnProgress = () => undefined,
): Promise<PlannedRekey[]> {
  const size = Math.min(availableParallelism(), maxWorkers);
  const workers = size < 2 ? undefined : createLazyPool(size, scopes.length);
  // Few are open at a time: what is open lives in memory until it is sealed.
  const width = (await usesPlugin(session, policy, scopes)) ? pluginWidth : 2 * size;
  let done = 0;
  if (scopes.length > 0) onProgress({ phase: "opening", done, total: scopes.length });
  try {
    return await mapInOrder(scopes, width, async (scope) => {
      const { job, result, needsPlugin } = await openRekey(session, policy, tree, scope, options);
      const pool = needsPlugin ? undefined : await workers?.poolFor(job);
      const sealing = pool === undefined ? sealJob(job, async () => await session.plugins()) : pool.seal(job);
      // Without the job, which can go once it is sent to a worker.
      return await sealing.then((files) => {
        onProgress({ phase: "sealing", done: (done += 1), total: scopes.length });
        return { ...result, files };
      });
    });
  } finally {
    await workers?.close();
  }
}

/** Results in the order of `items`; `work` is at `width` of them at a time, and begins no other after a failure. */
async function mapInOrder<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = [...items.entries()].reverse();
  const lane = async () => {
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) results[next[0]] = await work(next[1]);
  };
  try {
    await Promise.all(Array.from({ length: width }, lane));
  } finally {
    rest.length = 0;
  }
  return results;
}

/** A pool that starts when the jobs so far say that all `total` of them are worth it. */
function createLazyPool(size: number, total: number) {
  let pool: Promise<SealPool> | undefined;
  let work = 0;
  let jobs = 0;
  return {
    async poolFor(job: OpenRekey["job"]): Promise<SealPool | undefined> {
      work += weighJob(job);
      jobs += 1;
      if ((work / jobs) * total >= workForWorkers)
        pool ??= import("./seal-pool.ts").then(({ startSealPool }) => startSealPool(size));
      return await pool;
    },
    async close() {
      await (await pool)?.close();
    },
  };
}

/** True when a plugin opens generations or wraps them. */
async function usesPlugin(session: Session, policy: Policy, scopes: readonly ScopePath[]): Promise<boolean> {
  if (scopes.length === 0) return false;
  if ((await session.identities()).some((identity) => pluginOf(identity) !== undefined)) return true;
  const all = [...policy.members.values()].flatMap(({ recipients }) => recipients);
  return [...all, ...[...policy.recovery.values()].flat()].some(({ kind }) => kind === "plugin");
}
