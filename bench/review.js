import { interleave, timeOf } from "./measure.js";
import { makeLargeChange } from "./large-change.js";
import { makeRepository } from "./repository.js";

/**
 * Rows of `review` of a branch that changes some 200 secrets in 40 scopes, against `git log
 * --patch` of the same range, which shows sealed lines.
 */
export function benchReview({ rounds }) {
  const repository = makeRepository("x25519");
  try {
    makeLargeChange(repository);
    const what = "review of 200 secrets in 40 scopes";
    let peakBytes = 0;
    const times = interleave(
      {
        base: () => timeOf(() => repository.git("log", "--patch", "--no-textconv", "before..change")),
        [what]: () => {
          const run = repository.sealtree(["review", "before..change", "--markdown"], { measuresMemory: true });
          peakBytes = Math.max(peakBytes, run.peakBytes);
          return run.timeMs;
        },
      },
      rounds,
    );
    const baseMs = times.get("base").medianMs;
    return [
      { what: "git log --patch", ...times.get("base"), baseMs },
      { what, ...times.get(what), peakBytes, baseMs },
    ];
  } finally {
    repository.remove();
  }
}
