import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Session } from "../../../src/access/session.ts";
import { hasSameFiles } from "../../../src/git/revision.ts";
import { loadIdentities } from "../../../src/identity/load.ts";
import type { Rule } from "../../../src/rotation/policy.ts";
import type { Delivery } from "../../../src/rotation/delivery.ts";
import { openRotationBranch } from "../../../src/rotation/rotation-branch.ts";
import type { RotationRequest } from "../../../src/rotation/rotation-request.ts";
import type { RotationRun } from "../../../src/rotation/rotation-run.ts";
import type { BoundProvider } from "../../../src/rotation/rotators/registry.ts";
import { runRotations, type RotationResult, type RunLimits } from "../../../src/rotation/run-rotations.ts";

/** Who runs, where, and at which providers. */
export interface Runner {
  /** Root of a clone. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  now(): Date;
  bind(rule: Rule): BoundProvider | undefined;
  /** 16 hex digits. */
  readonly holder?: string;
  readonly limits?: RunLimits;
  readonly timeoutMs?: number;
  readonly delivery?: Delivery;
  /** Records there, for a pull request into main. */
  readonly forMerge?: string;
}

/** One run of the engine on the branch main, or on another for main, as `sealtree rotate` makes it, with a lock of its own. */
export async function runEngine(runner: Runner, requests: readonly RotationRequest[]): Promise<RotationResult[]> {
  const session = sessionIn(runner);
  const branch = await openRotationBranch(
    session,
    { remote: "origin", branch: runner.forMerge ?? "main" },
    runner.forMerge === undefined ? undefined : "main",
  );
  try {
    await branch.sync();
    const run: RotationRun = {
      session,
      branch,
      holder: runner.holder ?? randomBytes(8).toString("hex"),
      env: {},
      timeoutMs: runner.timeoutMs ?? 1000,
      retry: { attempts: 3, firstWaitMs: 1 },
      bind: (rule) => runner.bind(rule),
      delivery: runner.delivery,
      lockPath: (holder) => lockPath(runner.root, holder),
    };
    const results = await runRotations(run, requests, runner.limits ?? { batchSize: 10, parallel: 4 });
    const { commit, trunkCommit } = branch.view();
    await branch.publish({ isAhead: !(await hasSameFiles(session.place, commit, trunkCommit)) });
    return results;
  } finally {
    branch.close();
  }
}

/** Where a run in the clone at `root` says that it is alive. */
export function lockPath(root: string, holder: string): string {
  return join(root, ".git", "sealtree", holder);
}

/** What an operation in the clone of a runner needs. */
export function sessionIn({ root, env, now }: Pick<Runner, "root" | "env" | "now">): Session {
  return {
    place: { root, env },
    random: (size) => randomBytes(size),
    now,
    identities: async () => (await loadIdentities({ env })).identities,
    plugins: () => Promise.reject(new Error("no plugin here")),
  };
}
