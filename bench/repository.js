import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bin, runNode } from "./measure.js";

/**
 * A fresh repository that is set up by `sealtree init`, in a home of its own, with an identity of
 * `kind`: `x25519` or `pq`. `sealtree(args, options)` runs the built command in it.
 */
export function makeRepository(kind) {
  const folder = mkdtempSync(join(tmpdir(), "sealtree-bench-"));
  const [cwd, home] = [join(folder, "repository"), join(folder, "home")];
  const identity = join(home, ".config", "sealtree", "identity.txt");
  mkdirSync(join(identity, ".."), { recursive: true, mode: 0o700 });
  mkdirSync(cwd);
  const env = { PATH: process.env.PATH, HOME: home, TZ: "UTC", GIT_CONFIG_NOSYSTEM: "1" };
  const sealtree = (args, options = {}) => runNode([bin, ...args], { cwd, env, ...options });
  const git = (...args) => execFileSync("git", args, { cwd, env, stdio: ["ignore", "ignore", "inherit"] });
  git("init", "--quiet");
  git("config", "user.name", "Ada Bench");
  git("config", "user.email", "ada@example.test");
  sealtree(["keygen", "-o", identity, ...(kind === "x25519" ? ["--x25519"] : [])]);
  sealtree(["init", "--yes"]);
  return {
    cwd,
    env,
    identityFile: identity,
    git,
    sealtree,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** `count` values as dotenv text, 32 hex digits each. */
export function makeDotenv(count) {
  const line = (_, index) => `BENCH_VALUE_${index}=${index.toString(16).padStart(32, "0")}\n`;
  return Array.from({ length: count }, line).join("");
}
