import { rmSync } from "node:fs";
import { join } from "node:path";
import { createCommit, indexInfo, writeBlob, writeMessage, type GitDirectories } from "./commit.ts";
import type { GitPlace } from "./place.ts";
import { git } from "./run.ts";
import { listUnmerged, type UnmergedFile } from "./unmerged.ts";

/** The three versions of a file that both commits changed; undefined where there is none. */
export interface MergeSides {
  readonly base: Uint8Array | undefined;
  readonly ours: Uint8Array | undefined;
  readonly theirs: Uint8Array | undefined;
}

export interface MergeCommitsRequest {
  readonly ours: string;
  readonly theirs: string;
  readonly message: string;
  /** Below here, a version that the other side has had before is the older one, as after a squash. */
  readonly directory: string;
  /** Merges a file that both changed; undefined for a conflict. A text of undefined is no file. */
  mergeFile(path: string, sides: MergeSides): Promise<{ readonly text: string | undefined } | undefined>;
}

/** A merge of two commits, or the paths that keep it from being one. */
export type MergedCommits =
  | { readonly kind: "merged"; readonly commit: string }
  | { readonly kind: "conflict"; readonly paths: readonly string[] };

/**
 * Merges `theirs` into `ours`: gives `theirs` or `ours` when it has the other in its history, else a
 * new commit with both as parents. On a private index: no branch, no work tree and no driver of the
 * user's takes part. Throws E_GIT_FAILED.
 */
export async function mergeCommits(
  place: GitPlace,
  directories: GitDirectories,
  request: MergeCommitsRequest,
): Promise<MergedCommits> {
  const { ours, theirs } = request;
  const base = (await git(place, ["merge-base", ours, theirs])).trim();
  if (base === theirs || base === ours) return { kind: "merged", commit: base === theirs ? ours : theirs };
  const privateIndex = join(directories.gitDirectory, `sealtree-merge-${process.pid}`);
  const messageFile = join(directories.gitDirectory, `sealtree-merge-message-${process.pid}`);
  const env = { GIT_INDEX_FILE: privateIndex };
  try {
    writeMessage(messageFile, request.message);
    await git(place, ["read-tree", "-i", "-m", "--aggressive", base, ours, theirs], { env });
    const settled = await settleByHistory(place, base, request);
    const written = new Map<string, string>();
    const removed: string[] = [];
    const conflicts: string[] = [];
    for (const file of await listUnmerged(place, env)) {
      if (settled.has(file.path)) continue;
      const merged = await request.mergeFile(file.path, await readSides(place, file));
      if (merged === undefined) conflicts.push(file.path);
      else if (merged.text === undefined) removed.push(file.path);
      else written.set(file.path, await writeBlob(place, merged.text));
    }
    if (conflicts.length > 0) return { kind: "conflict", paths: conflicts };
    for (const [path, id] of settled) {
      if (id === undefined) removed.push(path);
      else written.set(path, id);
    }
    const changes = indexInfo(written, removed);
    if (changes !== "") await git(place, ["update-index", "-z", "--index-info"], { env, input: changes });
    const tree = (await git(place, ["write-tree"], { env })).trim();
    return { kind: "merged", commit: await createCommit(place, tree, [ours, theirs], messageFile) };
  } finally {
    for (const file of [privateIndex, `${privateIndex}.lock`, messageFile]) rmSync(file, { force: true });
  }
}

/**
 * Paths of which one side is a version that the other has had since the base and gone on from: to
 * the object that it went on to, or to undefined where it has none now.
 */
async function settleByHistory(
  place: GitPlace,
  base: string,
  { ours, theirs, directory }: MergeCommitsRequest,
): Promise<ReadonlyMap<string, string | undefined>> {
  const [changedHere, changedThere] = [
    await listChanged(place, base, ours, directory),
    await listChanged(place, base, theirs, directory),
  ];
  const settled = new Map<string, string | undefined>();
  const settle = async (from: string, older: ReadonlyMap<string, Change>, newer: string) => {
    const had = await listBlobs(place, base, from, directory);
    for (const [path, { id }] of older)
      if (id !== undefined && had.has(id)) settled.set(path, await findBlob(place, newer, path));
  };
  await settle(theirs, changedHere, theirs);
  await settle(ours, changedThere, ours);
  return settled;
}

interface Change {
  /** The object that it is now; undefined when it is gone. */
  readonly id: string | undefined;
}

async function listChanged(
  place: GitPlace,
  from: string,
  to: string,
  directory: string,
): Promise<ReadonlyMap<string, Change>> {
  const raw = await git(place, [
    "diff-tree",
    "-r",
    "-z",
    "--no-renames",
    "--raw",
    "--no-abbrev",
    from,
    to,
    "--",
    directory,
  ]);
  const fields = raw.split("\0");
  const changes = new Map<string, Change>();
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const id = fields[index]?.split(" ")[3] ?? "";
    changes.set(fields[index + 1] ?? "", { id: /^0+$/.test(id) ? undefined : id });
  }
  return changes;
}

/** Every object that stood below `directory` in a commit since `base`. */
async function listBlobs(place: GitPlace, base: string, tip: string, directory: string): Promise<ReadonlySet<string>> {
  const listed = await git(place, ["rev-list", "--objects", `${base}..${tip}`, "--", directory]);
  return new Set(listed.split("\n").map((line) => line.split(" ")[0] ?? ""));
}

async function findBlob(place: GitPlace, commit: string, path: string): Promise<string | undefined> {
  const entry = await git(place, ["ls-tree", "-z", commit, "--", path]);
  return /^100644 blob ([0-9a-f]+)\t/.exec(entry)?.[1];
}

async function readSides(place: GitPlace, file: UnmergedFile): Promise<MergeSides> {
  const read = async (id: string | undefined) =>
    id === undefined ? undefined : Buffer.from(await git(place, ["cat-file", "blob", id]), "utf8");
  return {
    base: await read(file.base?.id),
    ours: await read(file.ours?.id),
    theirs: await read(file.theirs?.id),
  };
}
