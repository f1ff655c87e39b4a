import { SealtreeError } from "../errors.ts";

/** What stands under a name in a tree. */
export interface TreeItem {
  /** As git writes it, such as 100644; see {@link treeMode}. */
  readonly mode: string;
  /** Full object id. */
  readonly id: string;
}

/** The mode of a folder. */
export const treeMode = "40000";

const modes = new Set([treeMode, "100644", "100664", "100755", "120000", "160000"]);

/**
 * Reads a tree object: the items that `isWanted`, by name. Names are bytes as latin1 text, so that
 * none is lost. Throws E_OBJECT_INVALID for what readers may take in different ways: items out of
 * order, a name twice, a name with a slash, a mode that git does not write.
 */
export function parseTreeObject(
  bytes: Uint8Array,
  idChars: number,
  isWanted: (name: string) => boolean = () => true,
): ReadonlyMap<string, TreeItem> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const idBytes = idChars / 2;
  const items = new Map<string, TreeItem>();
  let last = "";
  for (let start = 0; start < buffer.length;) {
    const space = buffer.indexOf(0x20, start);
    const nul = buffer.indexOf(0, start);
    const end = nul + 1 + idBytes;
    if (space < 0 || nul < space || end > buffer.length) throw malformed("it is cut short");
    const mode = buffer.toString("latin1", start, space);
    const name = buffer.toString("latin1", space + 1, nul);
    const key = mode === treeMode ? `${name}/` : name;
    if (key <= last) throw malformed("its items are out of order");
    last = key;
    start = end;
    if (!isWanted(name)) continue;
    if (!modes.has(mode) || name === "" || name.includes("/") || items.has(name)) {
      throw malformed("an item has a name or a mode that git does not write");
    }
    items.set(name, { mode, id: buffer.toString("hex", nul + 1, end) });
  }
  return items;
}

function malformed(what: string): SealtreeError {
  return new SealtreeError("E_OBJECT_INVALID", `a tree object is malformed: ${what}`, {
    hints: ["git fsck says which; make the commit again with git, and leave this one out of the branch"],
  });
}
