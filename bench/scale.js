import { fileURLToPath } from "node:url";
import { interleave, runNode } from "./measure.js";
import { makeDotenv, makeRepository } from "./repository.js";

const bareFile = fileURLToPath(new URL("bare.js", import.meta.url));
const importForm = ["--format", "dotenv", "--yes"];

/** Rows of large scopes and many scopes, with the peak memory of the process. */
export function benchScale({ rounds, scopes, scopeSize, importSize }) {
  const repository = makeRepository("pq");
  const { sealtree, git, remove } = repository;
  try {
    sealtree(["import", "prod/thousand", ...importForm], { input: makeDotenv(1000) });
    const large = makeDotenv(importSize);
    const imported = measureOnce(() =>
      sealtree(["import", "prod/large", ...importForm], { input: large, measuresMemory: true }),
    );
    const values = makeDotenv(scopeSize);
    for (let index = 0; index < scopes; index += 1) {
      sealtree(["import", `many/scope-${index}`, ...importForm, "--no-commit"], { input: values });
    }
    git("add", "--all");
    git("commit", "--quiet", "--message", "many scopes");
    const peaks = {};
    const measured = (name, args) => () => {
      const { timeMs, peakBytes } = sealtree(args, { measuresMemory: true });
      peaks[name] = Math.max(peaks[name] ?? 0, peakBytes);
      return timeMs;
    };
    const [open, list] = ["decrypt a scope of 1000 values", `list ${scopes} scopes of ${scopeSize} values`];
    const times = interleave(
      {
        bare: () => runNode([bareFile], repository).timeMs,
        [open]: measured(open, ["decrypt", "prod/thousand", "--yes"]),
        [list]: measured(list, ["list"]),
      },
      rounds,
    );
    const baseMs = times.get("bare").medianMs;
    return [
      { what: open, ...times.get(open), peakBytes: peaks[open], baseMs },
      { what: list, ...times.get(list), peakBytes: peaks[list], baseMs },
      { what: `import ${importSize} values into one scope`, ...imported, baseMs },
    ];
  } finally {
    remove();
  }
}

function measureOnce(work) {
  const { timeMs, peakBytes } = work();
  return { medianMs: timeMs, minMs: timeMs, peakBytes };
}
