import type { Tree } from "./tree.ts";

/**
 * Reads what `tree` lacks from `fallback`. Old records are opened with the keyring of now, which
 * is wrapped for those who may read now, and with that of then for generations that are gone.
 */
export function withFallback(tree: Tree, fallback: Tree): Tree {
  return { ...tree, read: async (path) => (await tree.read(path)) ?? (await fallback.read(path)) };
}
