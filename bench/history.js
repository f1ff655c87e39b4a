import { execFileSync } from "node:child_process";
import { writeHistory } from "./exposure.js";
import { interleave, timeOf } from "./measure.js";
import { makeRepository } from "./repository.js";

/** Commits that `git log -p` shows in a round: with a textconv it takes minutes for all of them. */
const shownCommits = 40;

/**
 * Rows of `log`, `blame` and `diff` in a history of `commits` commits, against `git log --raw` of
 * the same files, which reads no content. The rows of `git log -p` are what git takes to show the
 * history with the diff driver, measured on its newest commits and multiplied. All commits in one
 * scope is the hard case: every version of the file has to be read.
 */
export function benchHistory({ rounds, commits, scopes }) {
  return [...benchOne({ rounds, commits, scopes }), ...benchOne({ rounds, commits, scopes: 1 })];
}

function benchOne({ rounds, commits, scopes }) {
  const repository = makeRepository("pq");
  const { cwd, env, git, sealtree, remove } = repository;
  try {
    writeHistory(repository, { commits, scopes });
    const where = `${commits} commits in ${scopes} ${scopes === 1 ? "scope" : "scopes"}`;
    const peaks = new Map();
    const run = (what, args) => () => {
      const { timeMs, peakBytes } = sealtree(args, { measuresMemory: true });
      peaks.set(what, Math.max(peaks.get(what) ?? 0, peakBytes));
      return timeMs;
    };
    const commands = {
      [`log of a secret, ${where}`]: ["log", "team-0/scope-0/VALUE_0", "--json"],
      [`blame of a scope, ${where}`]: ["blame", "team-0/scope-0", "--json"],
      [`log -n 20 of all, ${where}`]: ["log", "-n", "20", "--json"],
      [`diff of the last 100, ${where}`]: ["diff", "HEAD~100..HEAD", "--json"],
    };
    const cases = Object.fromEntries(Object.entries(commands).map(([what, args]) => [what, run(what, args)]));
    const base = () => timeOf(() => git("log", "--raw", "--no-abbrev", "HEAD", "--", "secrets"));
    const times = interleave({ base, ...cases }, rounds);
    const baseMs = times.get("base").medianMs;
    const rows = Object.keys(commands).map((what) => ({
      what,
      ...times.get(what),
      peakBytes: peaks.get(what),
      baseMs,
    }));
    const shown = ["log", "-p", `--max-count=${shownCommits}`, "HEAD", "--", "secrets"];
    const options = { cwd, env, stdio: ["ignore", "ignore", "inherit"] };
    const patchMs = (timeOf(() => execFileSync("git", shown, options)) / shownCommits) * commits;
    return [
      ...rows,
      { what: `git log -p with the diff driver, ${where}, projected`, medianMs: patchMs, minMs: patchMs, baseMs },
    ];
  } finally {
    remove();
  }
}
