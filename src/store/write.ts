import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkCommitter, commitFiles, findGitDirectories } from "../git/commit.ts";
import { openObjects } from "../git/objects.ts";
import { stageFiles } from "../git/stage-files.ts";
import { findHead } from "../git/revision.ts";
import type { Address } from "../secret/address.ts";
import { sweepGitLeftovers } from "../git/user-index.ts";
import { checkNothingInProgress } from "../git/in-progress.ts";
import { hasGit, type GitPlace } from "../git/place.ts";
import { SealtreeError } from "../errors.ts";
import { removeFile, sweepTemporaryFiles, writeFilesAtomic } from "./atomic-write.ts";
import { listChangedSecrets } from "./changed-secrets.ts";
import { printCommitMessage, type CommitText } from "./commit-message.ts";
import { parseSecretsPath } from "./layout.ts";
import { withLock } from "./lock.ts";
import { maxTreeFileBytes, type Tree } from "./tree.ts";
import { openWorkTree } from "./work-tree.ts";

/** One file to write, or to remove when `bytes` is undefined. */
export interface FileChange {
  readonly path: string;
  readonly bytes: string | Uint8Array | undefined;
  /** Gives a file that is there the permissions of a new one. */
  readonly resetsMode?: boolean;
}

/** What a write wants to do: the files, and the commit that records it. */
export interface WritePlan<T> {
  readonly changes: readonly FileChange[];
  /**
   * Files this write answers for although it may not change them. They are committed too
   * when they differ from HEAD, so that running a command again ends what a crash cut off.
   */
  readonly touched: readonly string[];
  /** Changed files that go into the user's index when nothing is committed, as in the middle of a merge. */
  readonly staged?: readonly string[];
  /** Whether a scope file must be durable before the next is; `in order` unless told. */
  readonly landing?: "in order" | "any order";
  readonly text: Omit<CommitText, "secrets">;
  readonly result: T;
}

export interface WriteOptions {
  readonly commit: boolean;
  readonly dryRun: boolean;
  readonly onProgress?: OnProgress | undefined;
}

/** How far a long write is. */
export interface WriteProgress {
  readonly phase: "opening" | "sealing" | "writing" | "committing";
  /** Scopes that are opened or sealed, and files that are written; both 0 where nothing is counted. */
  readonly done: number;
  readonly total: number;
}

export type OnProgress = (progress: WriteProgress) => void;

export interface WriteOutcome<T> {
  readonly result: T;
  /** The commit made; undefined when nothing changed, on a dry run, or without committing. */
  readonly commit: string | undefined;
}

/** How long a writer waits for its turn. */
const lockTimeoutMs = 60_000;

/**
 * The one way files of ours change. Takes the repository's write lock, lets `plan` read the
 * work tree and decide, writes each file atomically ({@link inLandingOrder}), and makes one
 * commit of only those files, with a trailer for each secret whose value changed. A
 * crash at any point leaves every file old or new, whole, and the same command works when run
 * again. Without a commit the work tree alone changes, and what `staged` names. A dry run plans without writing or locking.
 */
export async function writeFiles<T>(
  place: GitPlace,
  options: WriteOptions,
  plan: (tree: Tree) => Promise<WritePlan<T>>,
): Promise<WriteOutcome<T>> {
  if (options.dryRun) return { result: (await plan(openWorkTree(place.root))).result, commit: undefined };
  if (!hasGit(place)) {
    throw new SealtreeError("E_NO_REPOSITORY", "the tree here is not a git repository, so nothing can be written", {
      hints: ["git init, then run the command again"],
    });
  }
  const directories = await findGitDirectories(place);
  return await withLock(join(directories.commonDirectory, "sealtree.lock"), { timeoutMs: lockTimeoutMs }, async () => {
    // First of all: a command that finds its work done must still take away what stops git.
    sweepGitLeftovers(directories);
    if (options.commit) checkNothingInProgress(directories.gitDirectory);
    const { changes, touched, staged = [], landing = "in order", text, result } = await plan(openWorkTree(place.root));
    if (options.commit) await checkCommitter(place);
    await applyChanges(place.root, inLandingOrder(place.root, changes, landing), options.onProgress);
    if (!options.commit) {
      const isStaged = ({ path }: FileChange) => staged.includes(path);
      await stageFiles(place, directories, listFiles(changes.filter(isStaged), []));
      return { result, commit: undefined };
    }
    options.onProgress?.({ phase: "committing", done: 0, total: 0 });
    const { written, removed } = listFiles(changes, touched);
    if (written.length + removed.length === 0) return { result, commit: undefined };
    const commit = await commitFiles(place, directories, {
      written,
      removed,
      message: printCommitMessage({ ...text, secrets: await listWrittenSecrets(place, [...written, ...removed]) }),
    });
    return { result, commit };
  });
}

/** Files that a write leaves there, and those that it takes away. */
function listFiles(changes: readonly FileChange[], touched: readonly string[]) {
  const removed = changes.filter(({ bytes }) => bytes === undefined).map(({ path }) => path);
  const written = new Set([...changes.map(({ path }) => path), ...touched]);
  for (const path of removed) written.delete(path);
  return { written: [...written], removed };
}

async function listWrittenSecrets(place: GitPlace, paths: readonly string[]): Promise<Address[]> {
  const head = await findHead(place);
  const objects = openObjects(place);
  const tree = openWorkTree(place.root);
  try {
    const changed: Address[] = [];
    for (const path of paths) {
      const parsed = parseSecretsPath(path);
      if (parsed?.kind !== "scope") continue;
      const before = head === undefined ? undefined : await objects.readBlob(`${head}:${path}`, maxTreeFileBytes);
      changed.push(...listChangedSecrets(parsed.scope, before, await tree.read(path)));
    }
    return changed;
  } finally {
    objects.close();
  }
}

/** Files that are made durable together. */
type Landing = readonly FileChange[];

/**
 * New generations first, then generations that are wrapped again, then scopes, then policies
 * and the rest, each durable before the next begins: a record is never on disk before the
 * generation that opens it, a generation that lost a stanza never without its successor, nor a
 * policy before the keyrings that follow it. Scopes and the rest land one by one in the order
 * of the plan; scopes all at once when `landing` says so.
 */
function inLandingOrder(root: string, changes: readonly FileChange[], landing: "in order" | "any order"): Landing[] {
  const ranks: FileChange[][] = [[], [], [], []];
  for (const change of changes) {
    const kind = parseSecretsPath(change.path)?.kind;
    const generation = existsSync(join(root, change.path)) ? 1 : 0;
    ranks[kind === "generation" ? generation : kind === undefined ? 3 : 2]?.push(change);
  }
  const [made = [], wrapped = [], scopes = [], rest = []] = ranks;
  const isTogether = landing === "any order" && scopes.every(({ bytes }) => bytes !== undefined);
  return [made, wrapped, ...(isTogether ? [scopes] : oneByOne(scopes)), ...oneByOne(rest)];
}

function oneByOne(changes: readonly FileChange[]): Landing[] {
  return changes.map((change) => [change]);
}

async function applyChanges(root: string, landings: readonly Landing[], onProgress?: OnProgress): Promise<void> {
  const total = landings.flat().length;
  for (const directory of new Set(landings.flat().map(({ path }) => join(root, path, ".."))))
    sweepTemporaryFiles(directory);
  let done = 0;
  for (const landing of landings) {
    const files = landing.flatMap(({ path, bytes, resetsMode }) =>
      bytes === undefined ? [] : [{ path: join(root, path), bytes, resetsMode }],
    );
    for (const { path, bytes } of landing) if (bytes === undefined) removeFile(join(root, path));
    const before = done;
    await writeFilesAtomic(files, { mode: 0o644 }, (count) =>
      onProgress?.({ phase: "writing", done: before + count, total }),
    );
    done += landing.length;
  }
}
