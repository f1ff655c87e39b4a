import { hasCode, type SealtreeError } from "../errors.ts";
import type { Tree } from "../store/tree.ts";

/** Reads files for the checks, and keeps what is odd about them as files. */
export interface FileReader {
  /** The bytes at `path`; undefined when nothing is there, or no file that is safe to read. Throws E_IO. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Paths below `directory`, sorted; none when it is no directory. Throws E_IO. */
  list(directory: string): Promise<readonly string[]>;
  /** What was no regular file in a real directory, or too large; each place once. */
  readonly unsafe: readonly SealtreeError[];
  /** Files that are marked as programs. */
  readonly executable: readonly string[];
}

export function createFileReader(tree: Tree): FileReader {
  const unsafe = new Map<string, SealtreeError>();
  const executable = new Set<string>();
  const orUnsafe = async <T>(path: string, work: Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (!hasCode(error, "E_UNSAFE_FILE")) throw error;
      unsafe.set(error.file ?? path, error);
      return otherwise;
    }
  };
  return {
    async read(path) {
      if ((await tree.isExecutable?.(path)) === true) executable.add(path);
      return await orUnsafe(path, tree.read(path), undefined);
    },
    list: async (directory) => await orUnsafe(directory, tree.list(directory), []),
    get unsafe() {
      return [...unsafe.values()];
    },
    get executable() {
      return [...executable];
    },
  };
}
