import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { interleave, runNode } from "./measure.js";
import { makeDotenv, makeRepository } from "./repository.js";

const bareFile = fileURLToPath(new URL("bare.js", import.meta.url));
const serverFile = fileURLToPath(new URL("github-server.js", import.meta.url));

/**
 * Rows of a deploy and a drift of many secrets to a target that has all of them as they are, a server
 * of GitHub's calls on this machine: what opening the values, listing and comparing takes. Throws when
 * anything was written.
 */
export async function benchDeploy({ rounds, secrets }) {
  const repository = makeRepository("pq");
  const server = spawn(process.execPath, [serverFile], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const [line] = await once(server.stdout, "data");
    const api = `http://127.0.0.1:${Number(line)}`;
    setUp(repository, api, secrets);
    const env = { ...repository.env, BENCH_TOKEN: "test-token-of-the-bench" };
    const run = (args) => () => repository.sealtree(args, { env, measuresMemory: true });
    run(["deploy", "--yes"])();
    const before = await countWrites(api);
    if (before !== secrets) throw new Error(`${before} secrets were sent, not ${secrets}`);
    let peakBytes = 0;
    const timed = (args) => () => {
      const { timeMs, peakBytes: peak } = run(args)();
      peakBytes = Math.max(peakBytes, peak);
      return timeMs;
    };
    const times = interleave(
      {
        base: () => runNode([bareFile], repository).timeMs,
        deploy: timed(["deploy", "--yes", "--json"]),
        drift: timed(["drift", "--json"]),
      },
      rounds,
    );
    if ((await countWrites(api)) !== before) throw new Error("a deploy of what is there already wrote something");
    const baseMs = times.get("base").medianMs;
    return ["deploy", "drift"].map((name) => ({
      what: `${name}, ${secrets} secrets that are right already`,
      ...times.get(name),
      peakBytes,
      baseMs,
    }));
  } finally {
    server.stdin.end();
    repository.remove();
  }
}

function setUp({ cwd, git, sealtree }, api, secrets) {
  sealtree(["import", "prod/api", "--format", "dotenv", "--yes"], { input: makeDotenv(secrets) });
  writeFileSync(
    join(cwd, "policies", "deploy.yaml"),
    `targets:\n  github: { kind: github-actions, organization: acme, visibility: all, scopes: [prod/api], required: true, api: "${api}", token: "\${env:BENCH_TOKEN}" }\n`,
  );
  git("add", "policies");
  git("commit", "--quiet", "-m", "deploy policy");
}

async function countWrites(api) {
  return Number(await (await fetch(`${api}/writes`)).text());
}
