import { Secret } from "../secret/secret.ts";
import type { SourceBranch, SourceLeaf, SourceType } from "./source-tree.ts";
import type { LeftOut, SourceContents, SourcePath, SourceValue } from "./source-values.ts";

/** A leaf as the reader of a system gives it; undefined for what is no value of a user. */
export interface OpenedLeaf {
  readonly secret: Secret;
  readonly type: SourceType;
  readonly isOpen: boolean;
}

/** Opens one leaf; `key` is the nearest name of a map above it. */
export type OpenLeaf = (leaf: SourceLeaf, key: string, path: SourcePath) => OpenedLeaf | undefined;

/** All leaves of a tree in order, each with the comments above it; nulls and empty branches are left out. */
export function readTree(tree: SourceBranch, open: OpenLeaf): SourceContents {
  const values: SourceValue[] = [];
  const leftOut: LeftOut[] = [];
  let pending: string[] = [];
  const walk = (branch: SourceBranch, path: SourcePath, above: string): void => {
    for (const [index, item] of branch.items.entries()) {
      const key = branch.kind === "list" ? above : item.key;
      const here = [...path, branch.kind === "list" ? index : item.key];
      pending.push(...item.comments);
      if (item.value.kind !== "leaf") {
        if (item.value.items.length === 0) leftOut.push({ path: here, reason: `an empty ${item.value.kind}` });
        walk(item.value, here, key);
        continue;
      }
      const comments = pending.map((text) => ({ text, isPrivate: true }));
      pending = [];
      if (item.value.type === "null") {
        leftOut.push({ path: here, reason: "null, which is no value" });
        continue;
      }
      const opened = open(item.value, key, here);
      if (opened !== undefined) values.push({ path: here, comments, ...opened });
    }
    pending.push(...branch.trailing);
    if (pending.length > 0) leftOut.push({ path, reason: "comments with no value below them" });
    pending = [];
  };
  walk(tree, [], "");
  return { values, leftOut };
}

/** A leaf whose value is what is written. */
export function plainLeaf({ type, text }: SourceLeaf): OpenedLeaf {
  const secret = type === "binary" ? Secret.of(Buffer.from(text, "base64"), "binary") : Secret.text(text);
  return { secret, type, isOpen: true };
}
