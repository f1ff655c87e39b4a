import { rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { errnoOf, SealtreeError, hasCode } from "../errors.ts";
import { withoutFilters } from "./filters.ts";
import type { GitPlace } from "./place.ts";
import { findHead } from "./revision.ts";
import { git, tryGit } from "./run.ts";
import { holdUserIndex } from "./user-index.ts";

/** A file to commit as it stands in the work tree; a file that is not there is removed. */
export interface CommitRequest {
  /** Relative paths; nothing else is committed. */
  readonly written: readonly string[];
  readonly removed: readonly string[];
  readonly message: string;
}

export interface GitDirectories {
  /** Absolute; of this work tree. */
  readonly gitDirectory: string;
  /** Absolute; shared by all work trees of the repository. */
  readonly commonDirectory: string;
  /** Absolute path of the user's index. */
  readonly index: string;
}

/** Where git keeps its things for this work tree. */
export async function findGitDirectories(place: GitPlace): Promise<GitDirectories> {
  const output = await git(place, ["rev-parse", "--git-dir", "--git-common-dir", "--git-path", "index"]);
  const [gitDirectory = "", commonDirectory = "", index = ""] = output
    .split("\n")
    .map((line) => resolve(place.root, line));
  return { gitDirectory, commonDirectory, index };
}

const attempts = 5;
/** How long to wait for another git command to give the index back. */
const indexTimeoutMs = 10_000;

/**
 * Commits exactly the files of `request` on top of HEAD, on a private index, so that what
 * the user has staged stays as it is; HEAD moves by compare-and-swap. The user's signing
 * settings apply; hooks that judge the user's own staged work (pre-commit, commit-msg) do not
 * run. Gives the new commit's id, or undefined when the files are as in HEAD already.
 * HEAD and the user's index move together, under git's own lock. Throws E_RACED, E_LOCKED,
 * E_GIT_FAILED, E_IO; HEAD and the user's index are then as before.
 */
export async function commitFiles(
  place: GitPlace,
  directories: GitDirectories,
  request: CommitRequest,
): Promise<string | undefined> {
  const oids = await writeBlobs(place, request.written);
  const privateIndex = join(directories.gitDirectory, `sealtree-index-${process.pid}`);
  const messageFile = join(directories.gitDirectory, `sealtree-message-${process.pid}`);
  try {
    writeMessage(messageFile, request.message);
    // Git compares what was touched within the second with its blob, and runs its filter for that.
    const unfiltered = await withoutFilters(place);
    for (let attempt = 1; ; attempt++) {
      // A branch that keeps moving is held still: no git commit gets through while the index is locked.
      let index = attempt === 1 ? undefined : await holdUserIndex(directories, { timeoutMs: indexTimeoutMs });
      try {
        const head = await findHead(place);
        const tree = await buildTree(place, privateIndex, head, oids, request.removed);
        const isSame = head !== undefined && tree === (await git(place, ["rev-parse", `${head}^{tree}`])).trim();
        const commit = isSame
          ? undefined
          : await createCommit(place, tree, head === undefined ? [] : [head], messageFile);
        index ??= await holdUserIndex(directories, { timeoutMs: indexTimeoutMs });
        const env = { ...unfiltered, GIT_INDEX_FILE: index.copy };
        await git(place, ["update-index", "-z", "--index-info"], { env, input: indexInfo(oids, request.removed) });
        if (commit === undefined || (await moveHead(place, commit, head, request.message))) {
          index.publish();
          return commit;
        }
      } finally {
        index?.release();
      }
      if (attempt >= attempts) {
        throw new SealtreeError("E_RACED", "the branch kept moving while sealtree was committing", {
          hints: ["the files are written; run the command again to commit them"],
        });
      }
    }
  } finally {
    for (const file of [privateIndex, `${privateIndex}.lock`, messageFile]) rmSync(file, { force: true });
  }
}

/** Files to commit on top of any commit, from memory. */
export interface CommitOnRequest {
  readonly parent: string;
  readonly written: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
  readonly message: string;
}

/**
 * A commit of exactly these files on top of `parent`, signed as the user's settings say. No
 * branch, no index and no file of the work tree takes part. Throws E_GIT_FAILED, E_IO.
 */
export async function commitOnto(
  place: GitPlace,
  directories: GitDirectories,
  { parent, written, removed, message }: CommitOnRequest,
): Promise<string> {
  const privateIndex = join(directories.gitDirectory, `sealtree-index-${process.pid}`);
  const messageFile = join(directories.gitDirectory, `sealtree-message-${process.pid}`);
  try {
    writeMessage(messageFile, message);
    const oids = new Map<string, string>();
    for (const [path, text] of written) oids.set(path, await writeBlob(place, text));
    const tree = await buildTree(place, privateIndex, parent, oids, removed);
    return await createCommit(place, tree, [parent], messageFile);
  } finally {
    for (const file of [privateIndex, `${privateIndex}.lock`, messageFile]) rmSync(file, { force: true });
  }
}

/** Throws E_IO. */
export function writeMessage(file: string, message: string): void {
  try {
    writeFileSync(file, message, { mode: 0o600 });
  } catch (error) {
    const code = errnoOf(error) ?? "unknown error";
    throw new SealtreeError("E_IO", `${file} cannot be written (${code})`, {
      hints: ["the files are written; run the command again to commit them"],
      cause: error,
    });
  }
}

/** Throws E_GIT_IDENTITY unless git knows who commits. */
export async function checkCommitter(place: GitPlace): Promise<void> {
  try {
    await git(place, ["var", "GIT_COMMITTER_IDENT"]);
  } catch (error) {
    throw new SealtreeError("E_GIT_IDENTITY", "git does not know who you are", {
      hints: ['git config user.name "Your Name" && git config user.email you@example.com'],
      cause: error,
    });
  }
}

/** Puts a text into git's store as it is; gives its object id. Throws E_GIT_FAILED. */
export async function writeBlob(place: GitPlace, text: string): Promise<string> {
  return (await git(place, ["hash-object", "-w", "--no-filters", "--stdin"], { input: text })).trim();
}

/** Puts files of the work tree into git's store as they are; gives path to object id. */
export async function writeBlobs(place: GitPlace, paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (paths.length === 0) return new Map();
  const output = await git(place, ["hash-object", "-w", "--no-filters", "--stdin-paths"], {
    input: `${paths.join("\n")}\n`,
  });
  const ids = output.trim().split("\n");
  return new Map(paths.map((path, index) => [path, ids[index] ?? ""]));
}

async function buildTree(
  place: GitPlace,
  index: string,
  head: string | undefined,
  oids: ReadonlyMap<string, string>,
  removed: readonly string[],
): Promise<string> {
  const env = { GIT_INDEX_FILE: index };
  await git(place, head === undefined ? ["read-tree", "--empty"] : ["read-tree", head], { env });
  // simple-git never ends an empty input, and git waits for its end.
  const input = indexInfo(oids, removed);
  if (input !== "") await git(place, ["update-index", "-z", "--index-info"], { env, input });
  return (await git(place, ["write-tree"], { env })).trim();
}

/** A commit of `tree`, signed as the user's settings say. */
export async function createCommit(
  place: GitPlace,
  tree: string,
  parents: readonly string[],
  messageFile: string,
): Promise<string> {
  const sign =
    (await tryGit(place, ["config", "--type=bool", "--get", "commit.gpgsign"], { allowExit: [1] }))?.trim() === "true";
  const args = [
    "commit-tree",
    tree,
    ...parents.flatMap((parent) => ["-p", parent]),
    ...(sign ? ["-S"] : []),
    "-F",
    messageFile,
  ];
  return (await git(place, args)).trim();
}

/** False when HEAD is not at `head` any more. An empty old value means that the ref must not exist. */
async function moveHead(place: GitPlace, commit: string, head: string | undefined, message: string): Promise<boolean> {
  const subject = message.split("\n")[0] ?? "";
  try {
    await git(place, ["update-ref", "-m", `sealtree: ${subject}`, "HEAD", commit, head ?? ""]);
    return true;
  } catch (error) {
    if (!hasCode(error, "E_GIT_FAILED")) throw error;
    if ((await findHead(place)) !== head) return false;
    const lock = /Unable to create '(.+\.lock)': File exists/.exec(error.message)?.[1];
    if (lock === undefined) throw error;
    throw new SealtreeError("E_LOCKED", "the branch is locked by another git command", {
      hints: [
        `wait for it, or remove ${lock} when no git command runs`,
        "the files are written; run the command again to commit them",
      ],
      cause: error,
    });
  }
}

/** Lines for `git update-index -z --index-info`. A path that was in conflict is so no more. */
export function indexInfo(oids: ReadonlyMap<string, string>, removed: readonly string[]): string {
  const zero = "0".repeat([...oids.values()][0]?.length ?? 40);
  const lines = [...oids].map(([path, id]) => `100644 ${id}\t${path}`);
  return [...lines, ...removed.map((path) => `0 ${zero}\t${path}`)].map((line) => `${line}\0`).join("");
}
