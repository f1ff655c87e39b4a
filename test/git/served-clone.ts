import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { isSealtreeError } from "../../src/errors.ts";
import type { GitPlace } from "../../src/git/place.ts";
import { startGitServer, type GitServer } from "../support/git-server.ts";
import { makeThrowAway } from "../support/throw-away.ts";

export const main = "refs/heads/main";
export const guard = "refs/sealtree/rotation/main";

/** A clone, with what tests do in it. */
export interface Clone {
  readonly place: GitPlace;
  readonly git: (...args: string[]) => string;
  /** A new commit on top of `parent`, which no branch has. */
  readonly commit: (parent?: string) => string;
}

export async function makeWorld() {
  const server = await startGitServer();
  const other = makeRepository();
  other.git("commit", "--quiet", "--allow-empty", "-m", "first");
  other.git("push", "--quiet", server.folder, "main");
  const first = other.git("rev-parse", "main").trim();
  return { server, other, first, clone: cloneOf(server) };
}

let made = 0;

export function cloneOf(server: GitServer, ...options: string[]): Clone {
  const root = join(makeThrowAway("sealtree-clone-"), `clone-${++made}`);
  if (options.length > 0) {
    // From the folder: the server in this process cannot answer a call that waits for its end.
    execFileSync("git", ["clone", "--quiet", ...options, `file://${server.folder}`, root], { env: testEnv(root) });
  } else {
    mkdirSync(root);
    cpSync(server.folder, join(root, ".git"), { recursive: true });
    gitIn(root)("config", "core.bare", "false");
    gitIn(root)("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*");
  }
  const git = gitIn(root);
  git("config", "remote.origin.url", server.url);
  return { place: { root, env: { ...testEnv(root), ...server.env } }, git, commit: commitIn(git) };
}

export function makeRepository(): Clone {
  const root = makeThrowAway("sealtree-other-");
  const git = gitIn(root);
  git("init", "--quiet", "--initial-branch=main");
  return { place: { root, env: testEnv(root) }, git, commit: commitIn(git) };
}

function commitIn(git: Clone["git"]): Clone["commit"] {
  return (parent = "HEAD") => git("commit-tree", `${parent}^{tree}`, "-p", parent, "-m", `commit ${++made}`).trim();
}

/** Another's push, which is there when this is over. */
export function pushNext(other: Clone, server: GitServer, parent?: string): string {
  const commit = other.commit(parent);
  other.git("push", "--quiet", server.folder, `${commit}:${main}`);
  return commit;
}

function gitIn(root: string): Clone["git"] {
  return (...args) =>
    execFileSync("git", args, { cwd: root, env: testEnv(root), encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function testEnv(root: string) {
  const who = { NAME: "Test Runner", EMAIL: "runner@example.test" };
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: join(root, ".."),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: who.NAME,
    GIT_AUTHOR_EMAIL: who.EMAIL,
    GIT_COMMITTER_NAME: who.NAME,
    GIT_COMMITTER_EMAIL: who.EMAIL,
  };
}

export async function messageOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isSealtreeError(error)) throw new Error("no failure on purpose");
  return [`${error.code} ${error.message}`, ...error.hints.slice(1)].join("\n").split("\n")[0] ?? "";
}
