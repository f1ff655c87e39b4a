import { join } from "node:path";
import { checkCommitter, commitFiles, findGitDirectories } from "../git/commit.ts";
import { openObjects } from "../git/objects.ts";
import { findHead } from "../git/revision.ts";
import type { Address } from "../secret/address.ts";
import { checkNothingInProgress } from "../git/in-progress.ts";
import { hasGit, type GitPlace } from "../git/place.ts";
import { SealtreeError } from "../errors.ts";
import { removeFile, sweepTemporaryFiles, writeFileAtomic } from "./atomic-write.ts";
import { listChangedSecrets } from "./changed-secrets.ts";
import { printCommitMessage, type CommitText } from "./commit-message.ts";
import { parseSecretsPath } from "./layout.ts";
import { withLock } from "./lock.ts";
import { maxTreeFileBytes, type Tree } from "./tree.ts";
import { openWorkTree } from "./work-tree.ts";

/** One file to write, or to remove when `bytes` is undefined. */
export interface FileChange {
  readonly path: string;
  readonly bytes: string | undefined;
}

/** What a write wants to do: the files, and the commit that records it. */
export interface WritePlan<T> {
  readonly changes: readonly FileChange[];
  /**
   * Files this write answers for although it may not change them. They are committed too
   * when they differ from HEAD, so that running a command again ends what a crash cut off.
   */
  readonly touched: readonly string[];
  readonly text: Omit<CommitText, "secrets">;
  readonly result: T;
}

export interface WriteOptions {
  readonly commit: boolean;
  readonly dryRun: boolean;
}

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
 * again. A dry run plans without writing or locking.
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
    if (options.commit) checkNothingInProgress(directories.gitDirectory);
    const { changes: planned, touched, text, result } = await plan(openWorkTree(place.root));
    const changes = inLandingOrder(planned);
    if (options.commit) await checkCommitter(place);
    applyChanges(place.root, changes);
    if (!options.commit) return { result, commit: undefined };
    const removed = changes.filter(({ bytes }) => bytes === undefined).map(({ path }) => path);
    const written = new Set([...changes.map(({ path }) => path), ...touched]);
    for (const path of removed) written.delete(path);
    if (written.size + removed.length === 0) return { result, commit: undefined };
    const commit = await commitFiles(place, directories, {
      written: [...written],
      removed,
      message: printCommitMessage({ ...text, secrets: await listWrittenSecrets(place, [...written, ...removed]) }),
    });
    return { result, commit };
  });
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

/**
 * Keyrings first, then scopes, then policies and the rest, each in the order of the plan: a
 * record is never on disk before the generation that opens it, nor a policy before the keyrings
 * that follow it.
 */
function inLandingOrder(changes: readonly FileChange[]): FileChange[] {
  const rank = ({ path }: FileChange) => {
    const kind = parseSecretsPath(path)?.kind;
    return kind === "generation" ? 0 : kind === undefined ? 2 : 1;
  };
  return [...changes].sort((a, b) => rank(a) - rank(b));
}

function applyChanges(root: string, changes: readonly FileChange[]): void {
  for (const directory of new Set(changes.map(({ path }) => join(root, path, "..")))) sweepTemporaryFiles(directory);
  for (const { path, bytes } of changes) {
    if (bytes === undefined) removeFile(join(root, path));
    else writeFileAtomic(join(root, path), bytes, { mode: 0o644 });
  }
}
