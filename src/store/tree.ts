/**
 * The files of a repository at one point: the work tree or a commit. One reader for both,
 * so every read works at any revision. Paths are relative to the root, with `/`.
 */
export interface Tree {
  /** Said in messages: "the work tree", or the commit by a short id. */
  readonly label: string;
  /** What `--at` takes to read the same tree; undefined for what is no commit. */
  readonly revision?: string;
  /**
   * The bytes at `path`, or undefined when nothing is there. Throws E_UNSAFE_FILE for
   * anything but a regular file reached without a symbolic link, and for one larger than
   * `maxTreeFileBytes`.
   */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Paths of all files below `directory`, at any depth, sorted. Empty when it is not there. */
  list(directory: string): Promise<readonly string[]>;
  /** True for a file that is marked as a program, where the tree can tell. */
  isExecutable?(path: string): Promise<boolean>;
}

/** The text at `path`, as UTF-8; undefined when nothing is there. Throws what the tree throws. */
export async function readText(tree: Pick<Tree, "read">, path: string): Promise<string | undefined> {
  const bytes = await tree.read(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
}

/** Largest file a tree reads, in bytes; each format has its own limit below it. */
export const maxTreeFileBytes = 16 * 1024 * 1024;
