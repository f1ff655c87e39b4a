import { compareText } from "../../src/secret/text-order.ts";
import type { Tree } from "../../src/store/tree.ts";
import type { FileChange } from "../../src/store/write.ts";

/** A tree of texts by path, for reading code that takes any tree. */
export function memoryTree(files: Readonly<Record<string, string>>): Tree {
  return {
    label: "a tree in memory",
    read: (path) => Promise.resolve(files[path] === undefined ? undefined : Buffer.from(files[path])),
    list: (directory) =>
      Promise.resolve(
        Object.keys(files)
          .filter((path) => path.startsWith(`${directory}/`))
          .sort(compareText),
      ),
  };
}

/** `files` after `changes`. */
export function applyTo(
  files: Readonly<Record<string, string>>,
  changes: readonly FileChange[],
): Record<string, string> {
  const next = { ...files };
  for (const { path, bytes } of changes) {
    if (bytes === undefined) delete next[path];
    else next[path] = Buffer.from(bytes).toString("utf8");
  }
  return next;
}
