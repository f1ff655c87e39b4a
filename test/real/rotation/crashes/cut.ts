import type { CrashPoint } from "../../../../src/rotation/crash-points.ts";
import type { GitRequest } from "../../../support/git-server.ts";

/** A place in a run: the `occurrence`-th time, from 1, that `point` is reached. */
export interface Place {
  readonly point: CrashPoint;
  readonly occurrence: number;
}

/**
 * How one run is spoiled. `kill`, `throw`: SIGKILL or an error at a crash point. `lost answer`: the
 * remote does the n-th push of the run, from 1, and its answer is lost. `signal`: the run and the
 * programs that it started get a signal while the remote has the n-th request of that sort.
 */
export type Cut =
  | ({ readonly how: "kill" | "throw" } & Place)
  | { readonly how: "lost answer"; readonly nth: number }
  | {
      readonly how: "signal";
      readonly signal: "SIGTERM" | "SIGINT";
      readonly request: GitRequest;
      readonly nth: number;
    };

export function printCut(cut: Cut): string {
  if (cut.how === "lost answer") return `lost answer to push ${cut.nth}`;
  if (cut.how === "signal") return `${cut.signal} amid ${cut.request} ${cut.nth}`;
  return `${cut.how} at ${cut.point} ${cut.occurrence}`;
}
