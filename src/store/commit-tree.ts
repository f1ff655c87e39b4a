import { openObjects } from "../git/objects.ts";
import type { GitPlace } from "../git/place.ts";
import { listTree, resolveCommit, type TreeEntry } from "../git/revision.ts";
import { hasCode, SealtreeError } from "../errors.ts";
import { attributesPath, modulesPath, policiesDirectory, secretsDirectory } from "./layout.ts";
import { maxTreeFileBytes, type Tree } from "./tree.ts";

/** A tree that holds a git process until it is closed. */
export interface CommitTree extends Tree {
  /** Full id of the commit. */
  readonly commit: string;
  /** Full id of the object at `path`; undefined when nothing is there. */
  idOf(path: string): string | undefined;
  close(): void;
}

/**
 * The files of the commit that `revision` names, below `secrets/` and `policies/`, and its
 * `.gitattributes` and `.gitmodules`. Reads git objects only: no attribute, filter or hook of the
 * repository takes part, and nothing is fetched: reading what a clone leaves out throws
 * E_OBJECT_INVALID. Throws E_REVISION_NOT_FOUND.
 */
export async function openCommitTree(place: GitPlace, revision: string): Promise<CommitTree> {
  const commit = await resolveCommit(place, revision);
  const entries = new Map<string, TreeEntry>();
  for (const entry of await listTree(place, commit, [secretsDirectory, policiesDirectory, attributesPath, modulesPath]))
    entries.set(entry.path, entry);
  const objects = openObjects(place);
  const unsafe = (path: string, what: string) =>
    new SealtreeError("E_UNSAFE_FILE", `${path} ${what} in ${commit.slice(0, 12)}`, { file: path });
  const missing = (path: string) =>
    new SealtreeError("E_OBJECT_INVALID", `the clone does not hold ${path} of ${commit.slice(0, 12)}`, {
      hints: ["in a clone made with --filter: git fetch --refetch --no-filter; otherwise git fsck says more"],
      file: path,
    });
  return {
    label: `commit ${commit.slice(0, 9)}`,
    revision: commit.slice(0, 9),
    commit,
    async read(path) {
      const entry = entries.get(path);
      if (entry === undefined) return undefined;
      if (entry.type !== "blob" || !entry.mode.startsWith("100")) {
        throw unsafe(path, "is not a regular file");
      }
      try {
        const bytes = await objects.readBlob(entry.id, maxTreeFileBytes);
        if (bytes === undefined) throw missing(path);
        return bytes;
      } catch (error) {
        throw hasCode(error, "E_UNSAFE_FILE") ? unsafe(path, "is too large") : error;
      }
    },
    list(directory) {
      if (entries.has(directory)) return Promise.reject(unsafe(directory, "is not a directory"));
      return Promise.resolve([...entries.keys()].filter((path) => path.startsWith(`${directory}/`)).sort());
    },
    isExecutable(path) {
      return Promise.resolve(entries.get(path)?.mode === "100755");
    },
    idOf(path) {
      return entries.get(path)?.id;
    },
    close() {
      objects.close();
    },
  };
}
