import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { againstFirst, runNode } from "./measure.js";
import { makeDotenv, makeRepository } from "./repository.js";

const main = fileURLToPath(new URL("../dist/action/main.js", import.meta.url));

/**
 * Rows of the Action's steps that hand over a scope of `values` values, each in a home that is new, as a runner
 * is, so that nothing is cached from the run before; against a Node that starts and ends.
 */
export function benchAction({ rounds, values }) {
  const repositories = { x25519: makeRepository("x25519"), pq: makeRepository("pq") };
  try {
    const cases = { "node -e 0": () => runNode(["-e", "0"], repositories.pq).timeMs };
    for (const [kind, repository] of Object.entries(repositories)) {
      repository.sealtree(["import", "prod/api", "--format", "dotenv", "--yes"], { input: makeDotenv(values) });
      const identity = readFileSync(repository.identityFile, "utf8");
      for (const [to, file] of [
        ["env", "GITHUB_ENV"],
        ["outputs", "GITHUB_OUTPUT"],
      ]) {
        cases[`export ${values} values to ${to}, ${kind} identity`] = () => {
          const env = makeStep(repository, { SEALTREE_IDENTITY: identity, INPUT_TO: to });
          const { timeMs } = runNode([main], { cwd: repository.cwd, env });
          checkHandedOver(readFileSync(env[file], "utf8"), values);
          return timeMs;
        };
      }
    }
    return againstFirst(cases, rounds);
  } finally {
    for (const { remove } of Object.values(repositories)) remove();
  }
}

/** The environment of a step as the runner makes it, with a home and files of its own. */
function makeStep({ cwd }, given) {
  const folder = join(cwd, "..", "step");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const file = (name, text = "") => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  return {
    PATH: process.env.PATH,
    HOME: folder,
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_WORKSPACE: cwd,
    GITHUB_EVENT_NAME: "push",
    GITHUB_EVENT_PATH: file("event.json", "{}"),
    GITHUB_ENV: file("env"),
    GITHUB_OUTPUT: file("output"),
    GITHUB_STATE: file("state"),
    GITHUB_STEP_SUMMARY: file("summary.md"),
    GITHUB_ACTION_REF: "0".repeat(40),
    RUNNER_TEMP: folder,
    INPUT_COMMAND: "export",
    INPUT_SCOPES: "prod/api",
    ...given,
  };
}

function checkHandedOver(text, values) {
  if (text.match(/^BENCH_VALUE_\d+<<sealtree_/gm)?.length !== values) throw new Error("values were not handed over");
}
