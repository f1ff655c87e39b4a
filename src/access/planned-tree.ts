import { compareText } from "../secret/text-order.ts";
import type { Tree } from "../store/tree.ts";
import type { FileChange } from "../store/write.ts";

/** `tree` as it will be after `changes`, so that a plan can be checked before it is carried out. */
export function plannedTree(tree: Tree, changes: readonly FileChange[]): Tree {
  const planned = new Map(
    changes.map(({ path, bytes }) => [path, bytes === undefined ? undefined : Buffer.from(bytes)]),
  );
  return {
    label: tree.label,
    async read(path) {
      return planned.has(path) ? planned.get(path) : await tree.read(path);
    },
    async list(directory) {
      const kept = (await tree.list(directory)).filter((path) => !planned.has(path));
      const added = [...planned].flatMap(([path, bytes]) =>
        bytes !== undefined && path.startsWith(`${directory}/`) ? [path] : [],
      );
      return [...kept, ...added].sort(compareText);
    },
  };
}
