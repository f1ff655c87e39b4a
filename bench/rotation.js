import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { runNode } from "./measure.js";
import { makeDotenv, makeRepository } from "./repository.js";

const bareFile = fileURLToPath(new URL("bare.js", import.meta.url));
const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Rows of rotations of many due secrets in one run: the engine with a provider that is in the same
 * process and answers at once, over a remote on this disk. What is left is sealing, git and pushes.
 */
export async function benchRotation({ secrets, scopeSize, batchSize }) {
  const repository = makeRepository("pq");
  const folder = mkdtempSync(join(tmpdir(), "sealtree-bench-rotation-"));
  try {
    const { addresses, live } = makeSecrets(repository, { secrets, scopeSize });
    const clone = pushAndClone(repository, folder);
    const entry = await bundleEntry(folder);
    const settings = {
      root: clone,
      env: repository.env,
      addresses,
      live,
      batchSize,
      nowMs: Date.parse("2026-03-01T02:00:00Z"),
    };
    const before = countCommits(clone);
    const run = runNode([entry, JSON.stringify(settings)], { cwd: clone, env: repository.env, measuresMemory: true });
    const { outcomes } = JSON.parse(run.stdout.toString());
    if (outcomes.rotated !== secrets) throw new Error(`not all were rotated: ${JSON.stringify(outcomes)}`);
    const commits = countCommits(clone) - before;
    const { timeMs } = runNode([bareFile], repository);
    const what = `rotate ${secrets} secrets in ${secrets / scopeSize} scopes, ${commits} commits`;
    return [{ what, medianMs: run.timeMs, minMs: run.timeMs, peakBytes: run.peakBytes, baseMs: timeMs }];
  } finally {
    rmSync(folder, { recursive: true, force: true });
    repository.remove();
  }
}

function makeSecrets({ cwd, git, sealtree }, { secrets, scopeSize }) {
  const text = makeDotenv(scopeSize);
  const values = text
    .trim()
    .split("\n")
    .map((line) => line.split("="));
  const addresses = [];
  for (let scope = 0; scope < secrets / scopeSize; scope += 1) {
    sealtree(["import", `many/scope-${scope}`, "--format", "dotenv", "--yes", "--no-commit"], { input: text });
    for (const [name] of values) addresses.push(`many/scope-${scope}/${name}`);
  }
  const rules = addresses.map((address) => `  ${address}: { rotator: manual }\n`);
  mkdirSync(join(cwd, "policies"), { recursive: true });
  writeFileSync(join(cwd, "policies", "rotation.yaml"), `secrets:\n${rules.join("")}`);
  git("add", "--all");
  git("commit", "--quiet", "--message", "many secrets");
  return { addresses, live: Object.fromEntries(values.map(([, value]) => [nameOf(value), value])) };
}

/** The names that test/rotation/engine/model-provider.ts gives its passwords. */
function nameOf(value) {
  return createHash("sha256").update(value).digest("hex").slice(0, 16);
}

function pushAndClone({ cwd, env }, folder) {
  const [remote, clone] = [join(folder, "remote.git"), join(folder, "clone")];
  const run = (...args) => execFileSync("git", args, { cwd, env, stdio: ["ignore", "ignore", "inherit"] });
  const branch = execFileSync("git", ["symbolic-ref", "--short", "HEAD"], { cwd, env, encoding: "utf8" }).trim();
  run("init", "--quiet", "--bare", "--initial-branch=main", remote);
  run("push", "--quiet", remote, `${branch}:main`);
  run("clone", "--quiet", "--no-checkout", remote, clone);
  run("-C", clone, "config", "user.name", "Ada Bench");
  run("-C", clone, "config", "user.email", "ada@example.test");
  return clone;
}

function countCommits(clone) {
  const remote = join(clone, "..", "remote.git");
  return Number(execFileSync("git", ["rev-list", "--count", "main"], { cwd: remote, encoding: "utf8" }));
}

async function bundleEntry(folder) {
  const build = await rolldown({
    input: join(root, "test/rotation/engine/rotate-many.ts"),
    platform: "node",
    external: ["@napi-rs/keyring"],
  });
  try {
    await build.write({ dir: join(folder, "bundle"), format: "esm", entryFileNames: "entry.mjs" });
  } finally {
    await build.close();
  }
  return join(folder, "bundle", "entry.mjs");
}
