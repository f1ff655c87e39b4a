import { fileURLToPath } from "node:url";
import { againstFirst, runNode } from "./measure.js";
import { makeDotenv, makeRepository } from "./repository.js";

const bareFile = fileURLToPath(new URL("bare.js", import.meta.url));

/** Rows of cold commands in a repository of one scope of 20 values, each against a bare Node start. */
export function benchStartUp({ rounds }) {
  const repositories = { x25519: makeRepository("x25519"), pq: makeRepository("pq") };
  try {
    const cases = { bare: () => runNode([bareFile], repositories.pq).timeMs };
    for (const [kind, { sealtree }] of Object.entries(repositories)) {
      sealtree(["import", "prod/api", "--format", "dotenv", "--yes"], { input: makeDotenv(20) });
      cases[`get --reveal, ${kind} identity`] = () =>
        sealtree(["get", "prod/api/BENCH_VALUE_7", "--reveal", "--yes"]).timeMs;
      cases[`run -- true, ${kind} identity`] = () => sealtree(["run", "prod/api", "--", "true"]).timeMs;
    }
    cases["list"] = () => repositories.pq.sealtree(["list"]).timeMs;
    cases["--version"] = () => repositories.pq.sealtree(["--version"]).timeMs;
    return againstFirst(cases, rounds);
  } finally {
    for (const { remove } of Object.values(repositories)) remove();
  }
}
