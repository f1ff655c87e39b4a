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
/** No folder has these in it: git would leave the work tree, or write into its own folder. */
const impossible = new Set(["", ".", "..", ".git"]);

/**
 * Reads a tree object: the items that `isWanted`, by name. Names are bytes as latin1 text, so that
 * none is lost. Throws E_OBJECT_INVALID for what readers may take in different ways: items out of
 * order, a name with a slash or one that no folder can have, and among what is wanted a name twice,
 * a mode that git does not write, or no id. Old tools wrote modes such as 040000: where nothing is
 * wanted they may stand.
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
    const key = isFolder(mode) ? `${name}/` : name;
    if (key <= last) throw malformed("its items are out of order");
    // A name with a slash is checked out below the folder that it names.
    if (name.includes("/") || (name.length < 5 && impossible.has(name.toLowerCase())))
      throw malformed("a name in it is none");
    last = key;
    start = end;
    if (!isWanted(name)) continue;
    if (!modes.has(mode) || items.has(name)) throw malformed("an item is there twice, or has an odd mode");
    const id = buffer.toString("hex", nul + 1, end);
    if (/^0+$/.test(id)) throw malformed("an item has no id");
    items.set(name, { mode, id });
  }
  return items;
}

/** As git does, by the bits. Throws E_OBJECT_INVALID for what is no mode. */
function isFolder(mode: string): boolean {
  if (modes.has(mode)) return mode === treeMode;
  if (!/^[0-7]{5,7}$/.test(mode)) throw malformed("an item has no mode");
  return (Number.parseInt(mode, 8) & 0o170000) === 0o040000;
}

function malformed(what: string): SealtreeError {
  return new SealtreeError("E_OBJECT_INVALID", `a tree object is malformed: ${what}`, {
    hints: ["git fsck says which; make the commit again with git, and leave this one out of the branch"],
  });
}
