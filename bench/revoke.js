import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { interleave, timeOf } from "./measure.js";
import { makeDotenv, makeRepository } from "./repository.js";

const readers = 10;

/**
 * Rows of removing one of 10 readers from many scopes, with the peak memory of the process, each
 * against a plain `git add` and `git commit` of the same changed files with the same care for
 * the disk.
 */
export function benchRevoke({ rounds, scopes, scopeSize }) {
  return ["pq", "x25519"].flatMap((kind) => benchKind(kind, { rounds, scopes, scopeSize }));
}

function benchKind(kind, { rounds, scopes, scopeSize }) {
  const repository = makeRepository(kind);
  const { cwd, sealtree, git, remove } = repository;
  const changed = mkdtempSync(join(tmpdir(), "sealtree-bench-"));
  try {
    addReaders(repository, kind);
    const values = makeDotenv(scopeSize);
    for (let index = 0; index < scopes; index += 1)
      sealtree(["import", `many/scope-${index}`, "--format", "dotenv", "--yes", "--no-commit"], { input: values });
    git("add", "--all");
    git("commit", "--quiet", "--message", "many scopes");
    git("tag", "start");
    const removal = ["member", "remove", "reader-5", "--yes", "--json"];
    sealtree(removal);
    const paths = listChanged(repository);
    copyFiles(paths, cwd, changed);
    const what = `remove 1 of ${readers} readers from ${scopes} scopes of ${scopeSize} values, ${kind}`;
    const base = `git commit of the ${paths.length} files, ${kind}`;
    let peakBytes = 0;
    const times = interleave(
      {
        [base]() {
          restart(repository);
          copyFiles(paths, changed, cwd);
          return timeOf(() => {
            git("add", "--all");
            git("-c", "core.fsync=committed", "commit", "--quiet", "--message", "the same files");
          });
        },
        [what]() {
          restart(repository);
          const run = sealtree(removal, { measuresMemory: true });
          peakBytes = Math.max(peakBytes, run.peakBytes);
          return run.timeMs;
        },
      },
      rounds,
    );
    const baseMs = times.get(base).medianMs;
    return [
      { what: base, ...times.get(base), baseMs },
      { what, ...times.get(what), peakBytes, baseMs },
    ];
  } finally {
    remove();
    rmSync(changed, { recursive: true, force: true });
  }
}

function addReaders({ cwd, sealtree }, kind) {
  for (let index = 1; index < readers; index += 1) {
    const flags = kind === "x25519" ? ["--x25519"] : [];
    const { stdout } = sealtree(["keygen", "-o", join(cwd, "..", `reader-${index}.key`), ...flags]);
    const keys = ["--recipient", stdout.toString().trim(), "--role", "engineer"];
    sealtree(["member", "add", `reader-${index}`, ...keys, "--yes"]);
  }
}

/** The objects of the last run go too, so that every run writes all of its own. */
function restart({ git }) {
  git("reset", "--quiet", "--hard", "start");
  git("clean", "--quiet", "--force", "-d");
  git("reflog", "expire", "--expire=now", "--all");
  git("prune", "--expire=now");
}

/** Files of HEAD that differ from `start` and are still there. */
function listChanged({ cwd, env }) {
  const flags = ["diff", "--name-only", "--diff-filter=d", "start", "HEAD"];
  return execFileSync("git", flags, { cwd, env, encoding: "utf8" }).trimEnd().split("\n");
}

function copyFiles(paths, from, to) {
  for (const path of paths) cpSync(join(from, path), join(to, path));
}
