import { fileURLToPath } from "node:url";
import { interleave, runNode } from "./measure.js";
import { makeDotenv, makeRepository } from "./repository.js";

const bareFile = fileURLToPath(new URL("bare.js", import.meta.url));
const program = fileURLToPath(new URL("use-library.js", import.meta.url));

/**
 * Rows of the library in a repository of one scope. Whole cold processes stand against a bare start of
 * Node; cached reads against as many reads of a Map with a look at the clock; an uncached read against
 * the process that opens the repository and reads one.
 */
export function benchLibrary({ rounds, references }) {
  const repository = makeRepository("pq");
  try {
    repository.sealtree(["import", "prod/api", "--format", "dotenv", "--yes"], { input: makeDotenv(references) });
    const run = (...args) => runNode([program, ...args], repository);
    const within = (...args) => JSON.parse(run(...args).stdout.toString()).timeMs;
    const times = interleave(
      {
        bare: () => runNode([bareFile], repository).timeMs,
        open: () => run("open").timeMs,
        first: () => run("first").timeMs,
        resolve: () => run("resolve", String(references)).timeMs,
        cached: () => within("cached"),
        map: () => within("map"),
        uncached: () => within("uncached"),
      },
      rounds,
    );
    const row = (name, what, base) => ({ what, ...times.get(name), baseMs: times.get(base).medianMs });
    return [
      row("open", "import and open the library, cold", "bare"),
      row("first", `the first value, cold, of a scope of ${references}`, "bare"),
      row("resolve", `resolve a config of ${references} references, cold`, "bare"),
      row("uncached", "one uncached value in a running process", "first"),
      row("cached", "1000 cached values", "map"),
    ];
  } finally {
    repository.remove();
  }
}
