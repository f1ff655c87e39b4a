import { isSealtreeError } from "../errors.ts";
import type { TreeItem } from "../git/tree-object.ts";
import type { ScopePath, SecretName } from "../secret/address.ts";
import { parseScopeFile, type ScopeEntries, type ScopeEntry } from "../store/scope-file.ts";
import type { JudgedTrees } from "./judged-trees.ts";

/** Reads scope files of a history, many of which are asked for twice: after one commit, and before the next. */
export interface ScopeContents {
  /** The records of a file; empty for no file, undefined for one that is malformed. */
  read(scope: ScopePath, item: TreeItem | undefined): Promise<ScopeEntries | undefined>;
}

/** How many bytes of files are kept parsed. */
const maxCachedBytes = 16 * 1024 * 1024;
const nothing: ScopeEntries = new Map<SecretName, ScopeEntry>();

/** A reader that keeps what it read as long as there is room. */
export function createScopeContents(trees: JudgedTrees): ScopeContents {
  const known = new Map<string, Promise<ScopeEntries | undefined>>();
  let bytes = 0;
  const load = async (scope: ScopePath, id: string) => {
    const content = await trees.readBlob(id);
    bytes += content.length;
    return findEntries(content, scope);
  };
  return {
    async read(scope, item) {
      if (item === undefined) return nothing;
      const key = `${scope} ${item.id}`;
      const found = known.get(key);
      if (found !== undefined) return await found;
      if (bytes > maxCachedBytes) {
        known.clear();
        bytes = 0;
      }
      const entries = load(scope, item.id);
      known.set(key, entries);
      return await entries;
    },
  };
}

function findEntries(bytes: Uint8Array, scope: ScopePath): ScopeEntries | undefined {
  try {
    return parseScopeFile(bytes, scope);
  } catch (error) {
    if (isSealtreeError(error)) return undefined;
    throw error;
  }
}
