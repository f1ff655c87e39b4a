import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { interleave, runNode } from "./measure.js";
import { makeDotenv, makeRepository } from "./repository.js";

const reader = fileURLToPath(new URL("read-files.js", import.meta.url));

/**
 * Rows of `check` and `status` on many scopes with 10 secrets and 4 readers each, with the peak
 * memory of the process, against a Node that reads the same files. Without a key one scope looks
 * like another, so all are copies of one with their own names.
 */
export function benchCheck({ rounds, scopes }) {
  const repository = makeRepository("pq");
  const { cwd, sealtree, git, remove } = repository;
  try {
    for (const name of ["bob", "carol", "dave"]) {
      const recipient = sealtree(["keygen", "-o", join(cwd, "..", `${name}.key`)])
        .stdout.toString()
        .trim();
      sealtree(["member", "add", name, "--recipient", recipient, "--role", "engineer", "--yes"]);
    }
    sealtree(["import", "many/scope-0", "--format", "dotenv", "--yes"], { input: makeDotenv(10) });
    for (let index = 1; index < scopes; index += 1) copyScope(join(cwd, "secrets", "many"), `scope-${index}`);
    git("add", "--all");
    git("commit", "--quiet", "--message", "many scopes");
    const peaks = {};
    const measured = (name, args) => () => {
      const { timeMs, peakBytes } = sealtree(args, { measuresMemory: true });
      peaks[name] = Math.max(peaks[name] ?? 0, peakBytes);
      return timeMs;
    };
    const names = {
      check: `check ${scopes} scopes`,
      at: `check ${scopes} scopes of a commit`,
      status: `status of ${scopes} scopes`,
    };
    const times = interleave(
      {
        base: () => runNode([reader, "secrets", "policies"], repository).timeMs,
        [names.check]: measured(names.check, ["check"]),
        [names.at]: measured(names.at, ["check", "--at", "HEAD"]),
        [names.status]: measured(names.status, ["status"]),
      },
      rounds,
    );
    const baseMs = times.get("base").medianMs;
    return Object.values(names).map((what) => ({ what, ...times.get(what), peakBytes: peaks[what], baseMs }));
  } finally {
    remove();
  }
}

function copyScope(folder, name) {
  const rename = (path) => writeFileSync(path, readFileSync(path, "utf8").replace("many/scope-0", `many/${name}`));
  cpSync(join(folder, "scope-0.yaml"), join(folder, `${name}.yaml`));
  rename(join(folder, `${name}.yaml`));
  mkdirSync(join(folder, `${name}.keys`));
  for (const file of readdirSync(join(folder, "scope-0.keys"))) {
    cpSync(join(folder, "scope-0.keys", file), join(folder, `${name}.keys`, file));
    rename(join(folder, `${name}.keys`, file));
  }
}
