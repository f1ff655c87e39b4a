import type { RawObjects } from "../git/raw-objects.ts";
import { parseTreeObject, treeMode, type TreeItem } from "../git/tree-object.ts";
import { attributesPath, policiesDirectory, secretsDirectory } from "../store/layout.ts";

/** A file that differs between two trees. Paths are bytes as latin1 text. */
export interface JudgedChange {
  readonly path: string;
  readonly before: TreeItem | undefined;
  readonly after: TreeItem | undefined;
}

/** The part of trees whose writers are judged: secrets, policies, and what decides about them. */
export interface JudgedTrees {
  /** What differs, sorted by path. Both are ids of root trees; without `before` everything does. */
  listChanges(before: string | undefined, after: string): Promise<JudgedChange[]>;
  /** What stands at `path`; undefined for nothing, and for what is not judged. */
  find(tree: string, path: string): Promise<TreeItem | undefined>;
  /** The items of a folder, by name; empty when it is none. */
  list(tree: string, path: string): Promise<ReadonlyMap<string, TreeItem>>;
  readBlob(id: string): Promise<Uint8Array>;
}

type Items = ReadonlyMap<string, TreeItem>;

const hostDirectory = ".github";
/** What is judged in the root, and in the folder of the host. */
const judged = {
  root: [secretsDirectory, policiesDirectory, attributesPath, hostDirectory],
  host: ["codeowners", "workflows"],
} as const;
/** Trees that are kept; neighbours in a history share most of theirs. */
const maxCached = 4000;

/** Opens trees by their bytes; each tree is read once while it stays in memory. */
export function openJudgedTrees(objects: RawObjects): JudgedTrees {
  const cache = new Map<string, Promise<Items>>();
  const read = (id: string, part: keyof typeof judged | "all"): Promise<Items> => {
    const key = `${part} ${id}`;
    const known = cache.get(key);
    if (known !== undefined) return known;
    if (cache.size >= maxCached) cache.clear();
    const isWanted = part === "all" ? undefined : (name: string) => isLike(name, judged[part]);
    const items = objects.read(id, "tree").then((bytes) => parseTreeObject(bytes, id.length, isWanted));
    cache.set(key, items);
    return items;
  };
  const readItem = async (item: TreeItem | undefined): Promise<Items> =>
    item?.mode === treeMode ? await read(item.id, "all") : new Map<string, TreeItem>();

  /** Everything judged, by path: folders as they are, and of the host's folder the parts that count. */
  const loadTop = async (tree: string): Promise<Items> => {
    const root = await read(tree, "root");
    const top = new Map(root);
    for (const [name, item] of root) {
      if (!isLike(name, [hostDirectory]) || item.mode !== treeMode) continue;
      top.delete(name);
      for (const [inner, part] of await read(item.id, "host")) top.set(`${name}/${inner}`, part);
    }
    return top;
  };

  const tops = new Map<string, Promise<Items>>();
  const readTop = async (tree: string): Promise<Items> => {
    if (tops.size >= maxCached) tops.clear();
    const top = tops.get(tree) ?? loadTop(tree);
    tops.set(tree, top);
    return await top;
  };

  const compare = async (prefix: string, before: Items, after: Items, changes: JudgedChange[]): Promise<void> => {
    for (const name of listDiffering(before, after)) {
      const [old, now] = [before.get(name), after.get(name)];
      const [oldFile, newFile] = [old, now].map((item) => (item?.mode === treeMode ? undefined : item));
      if (oldFile !== undefined || newFile !== undefined)
        changes.push({ path: prefix + name, before: oldFile, after: newFile });
      if (old?.mode === treeMode || now?.mode === treeMode) {
        const [oldItems, newItems] = await Promise.all([readItem(old), readItem(now)]);
        await compare(`${prefix}${name}/`, oldItems, newItems, changes);
      }
    }
  };

  const find = async (tree: string, path: string): Promise<TreeItem | undefined> => {
    let items = await readTop(tree);
    const parts = path.split("/");
    if (!items.has(parts[0] ?? "")) parts.splice(0, 2, parts.slice(0, 2).join("/"));
    let item: TreeItem | undefined;
    for (const [index, part] of parts.entries()) {
      if (index > 0) items = await readItem(item);
      item = items.get(part);
    }
    return item;
  };

  return {
    async listChanges(before, after) {
      const changes: JudgedChange[] = [];
      if (before === after) return changes;
      const [old, now] = await Promise.all([
        before === undefined ? new Map<string, TreeItem>() : readTop(before),
        readTop(after),
      ]);
      await compare("", old, now, changes);
      return changes;
    },
    find,
    list: async (tree, path) => await readItem(await find(tree, path)),
    readBlob: async (id) => await objects.read(id, "blob"),
  };
}

/** Names that stand for another item in one than in the other, sorted. */
function listDiffering(before: Items, after: Items): string[] {
  const names: string[] = [];
  for (const [name, { id, mode }] of after) {
    const old = before.get(name);
    if (old?.id !== id || old.mode !== mode) names.push(name);
  }
  for (const name of before.keys()) if (!after.has(name)) names.push(name);
  return names.sort();
}

/** True when a file system may take `name` for one of `names`: other case, other forms of a letter, signs that do not show. */
function isLike(name: string, names: readonly string[]): boolean {
  if (/^[ -~]*$/.test(name)) return names.includes(name.toLowerCase().replace(/[. ]+$/, ""));
  const text = Buffer.from(name, "latin1").toString("utf8").normalize("NFKC").toLowerCase();
  return names.includes(text.replaceAll(/\p{Default_Ignorable_Code_Point}|[. ]+$/gu, ""));
}
