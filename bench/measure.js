import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const reporter = new URL("report-peak-memory.js", import.meta.url).href;

/** The built command, a file to give to Node. */
export const bin = fileURLToPath(new URL("../dist/bin.js", import.meta.url));

/**
 * Runs Node on `args` to its end. Gives the wall time in milliseconds, the peak resident memory
 * in bytes when `measuresMemory`, and stdout. Throws when it fails.
 */
export function runNode(args, { cwd, env, input = "", measuresMemory = false }) {
  const start = process.hrtime.bigint();
  const child = spawnSync(process.execPath, [...(measuresMemory ? ["--import", reporter] : []), ...args], {
    cwd,
    env,
    input,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    maxBuffer: 1 << 30,
  });
  const timeMs = Number(process.hrtime.bigint() - start) / 1e6;
  if (child.status !== 0) throw new Error(`node ${args.join(" ")}: exit ${child.status}\n${child.stderr}`);
  return { timeMs, stdout: child.stdout, peakBytes: Number(child.output[3]) * 1024 };
}

/**
 * Times each of `cases` (name to a function that gives milliseconds) `rounds` times, one after the
 * other in every round, so that what else the machine does meets all of them alike. Gives name to
 * `{ medianMs, minMs }`. One round before the first is not counted.
 */
export function interleave(cases, rounds) {
  const times = new Map(Object.keys(cases).map((name) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const [name, time] of Object.entries(cases)) {
      const timeMs = time();
      if (round >= 0) times.get(name).push(timeMs);
    }
  }
  return new Map([...times].map(([name, all]) => [name, summarise(all)]));
}

/** Rows of {@link interleave}, each with the median of the first case as its `baseMs`. */
export function againstFirst(cases, rounds) {
  return [...interleave(cases, rounds)].map(([what, times], _, [[, first]]) => ({
    what,
    ...times,
    baseMs: first.medianMs,
  }));
}

/** Milliseconds `work` takes. */
export function timeOf(work) {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function summarise(times) {
  const sorted = times.toSorted((a, b) => a - b);
  return { medianMs: sorted[sorted.length >> 1], minMs: sorted[0] };
}
