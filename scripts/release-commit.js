// Makes the commit of a release of the Action, and prints its id: HEAD's tree with the built bundle
// at dist/action, on top of HEAD. Everything in it comes from HEAD, the version and the bundle, so that
// whoever builds the same bundle gets the same id. Moves no branch and no tag, and touches no file.
//   node scripts/release-commit.js --version v1.2.3 [--bundle dist/action]
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: flags } = parseArgs({
  options: { version: { type: "string" }, bundle: { type: "string" }, repository: { type: "string" } },
});
const root = flags.repository ?? fileURLToPath(new URL("..", import.meta.url));
const bundle = resolve(flags.bundle ?? join(root, "dist/action"));

const scratch = mkdtempSync(join(tmpdir(), "sealtree-release-"));
try {
  process.stdout.write(`${makeCommit()}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function makeCommit() {
  const version = checkVersion();
  const source = git("rev-parse", "--verify", "HEAD^{commit}");
  if (git("ls-tree", "-r", "--name-only", source, "dist") !== "")
    throw new Error("HEAD has files in dist already: releases are made of sources");
  const files = readdirSync(bundle, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  if (!files.includes(join(bundle, "main.js"))) throw new Error("the bundle has no main.js: build it first");
  git("read-tree", source);
  // Without filters: the bytes are the bundle's own.
  const hash = ["hash-object", "-w", "--no-filters", "--stdin-paths"];
  const blobs = run(hash, { input: files.map((file) => `${file}\n`).join("") })
    .trim()
    .split("\n");
  const lines = files.map(
    (file, index) => `100644 ${blobs[index]}\tdist/action/${relative(bundle, file).replaceAll("\\", "/")}\n`,
  );
  run(["update-index", "--add", "--index-info"], { input: lines.join("") });
  const tree = git("write-tree");
  const date = git("show", "--no-patch", "--no-show-signature", "--format=%cI", source);
  const who = { NAME: "sealtree release", EMAIL: "release@sealtree.invalid", DATE: date };
  const env = Object.fromEntries(
    Object.entries(who).flatMap(([name, value]) => [
      [`GIT_AUTHOR_${name}`, value],
      [`GIT_COMMITTER_${name}`, value],
    ]),
  );
  const input = `release: ${version}\n\nThe sources of ${source}, with the Action built from them.\n`;
  return run(["commit-tree", "--no-gpg-sign", "-p", source, tree], { input, env }).trim();
}

/** A tag can only say the version that the package has. */
function checkVersion() {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  if (flags.version === `v${version}`) return flags.version;
  throw new Error(`--version has to be v${version}, the version of package.json`);
}

function git(...args) {
  return run(args).trim();
}

function run(args, { input = "", env = {} } = {}) {
  return execFileSync("git", args, {
    cwd: root,
    input,
    env: { ...process.env, GIT_INDEX_FILE: join(scratch, "index"), ...env },
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe"],
  });
}
