import { findPolicy, type Policy } from "../access/policy.ts";
import { hasCode, SealtreeError } from "../errors.ts";
import { treeMode, type TreeItem } from "../git/tree-object.ts";
import { accessPolicyPath, membersDirectory } from "../store/layout.ts";
import type { Finding } from "../store/finding.ts";
import type { Tree } from "../store/tree.ts";
import { findingOf } from "../store/finding-of.ts";
import type { JudgedTrees } from "./judged-trees.ts";

/** The access policy of a tree, as far as it can be used. */
export interface TreePolicy {
  /** The same for trees with the same policy and the same key files. */
  readonly key: string;
  /** Undefined when there is none, or none that can be understood. */
  readonly policy: Policy | undefined;
  /** The first error in it; a policy with one grants nothing. */
  readonly error: Finding | undefined;
}

/** Gives the access policy of a root tree by its id; each policy is read once. */
export type PolicyLookup = (tree: string) => Promise<TreePolicy>;

/** Policies of trees that are read by their bytes. */
export function createPolicyLookup(trees: JudgedTrees): PolicyLookup {
  const known = new Map<string, Promise<TreePolicy>>();
  return async (tree) => {
    const [access, members] = await Promise.all([
      trees.find(tree, accessPolicyPath),
      trees.find(tree, membersDirectory),
    ]);
    const key = `${sayItem(access)} ${sayItem(members)}`;
    const found = known.get(key) ?? readPolicy(trees, tree, key);
    known.set(key, found);
    return await found;
  };
}

async function readPolicy(trees: JudgedTrees, tree: string, key: string): Promise<TreePolicy> {
  try {
    const { policy, findings } = await findPolicy(asTree(trees, tree));
    return { key, policy, error: findings.find(({ severity }) => severity === "error") };
  } catch (error) {
    if (hasCode(error, "E_UNSAFE_FILE")) return { key, policy: undefined, error: findingOf("policy", error) };
    throw error;
  }
}

function asTree(trees: JudgedTrees, tree: string): Tree {
  return {
    label: "a commit",
    async read(path) {
      const item = await trees.find(tree, path);
      if (item === undefined) return undefined;
      if (!item.mode.startsWith("100")) {
        throw new SealtreeError("E_UNSAFE_FILE", `${path} is not a regular file`, { file: path });
      }
      return await trees.readBlob(item.id);
    },
    async list(directory) {
      const items = [...(await trees.list(tree, directory))];
      return items
        .filter(([, { mode }]) => mode !== treeMode)
        .map(([name]) => `${directory}/${name}`)
        .sort();
    },
  };
}

function sayItem(item: TreeItem | undefined): string {
  return item === undefined ? "none" : `${item.mode} ${item.id}`;
}
