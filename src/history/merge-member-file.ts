import { findSshPublicKey } from "../crypto/ssh-public-key.ts";
import { decodeUtf8 } from "../secret/utf8.ts";
import { sideNames, UnreadableSide, type FileSides, type MergedContent } from "./merged-content.ts";

const signingComment = /^#[ \t]*signing-key[ \t]+/;

/**
 * Merges the key file of a member key by key. A key that one side removed is gone, and one that a
 * side added is there; of a key whose line both changed, ours stands. Comments merge as lines.
 * Where a side has no file, and the other changed it, nothing is merged. A file that would be
 * left without a key is a conflict. Throws {@link UnreadableSide} for one that is not UTF-8.
 */
export function mergeMemberFile({ base, ours, theirs }: FileSides): MergedContent {
  if (ours === undefined || theirs === undefined) return mergeRemoval({ base, ours, theirs });
  const before = readLines("base", base);
  const [mine, yours] = [readLines("ours", ours), readLines("theirs", theirs)];
  const kept = new Map<string, string>();
  for (const [id, line] of mine) {
    const [was, other] = [before.get(id), yours.get(id)];
    if (other === undefined && was !== undefined) continue;
    kept.set(id, other !== undefined && line === was ? other : line);
  }
  const lines = [...kept];
  let previous: string | undefined;
  for (const [id, line] of yours) {
    if (!mine.has(id) && !before.has(id)) {
      // Where theirs has it, as far as ours has what stands above it there.
      const above = lines.findIndex(([other]) => other === previous);
      lines.splice(previous === undefined ? 0 : above < 0 ? lines.length : above + 1, 0, [id, line]);
    }
    previous = id;
  }
  const text = lines.map(([, line]) => `${line}\n`).join("");
  if (lines.some(([id]) => isKeyId(id)) || ![...mine.keys(), ...yours.keys()].some(isKeyId))
    return { kind: "merged", text };
  const what = "leave no key: each was removed on one side";
  return { kind: "conflict", text, clashes: [{ name: "both sides together", what, hasMarkers: false }] };
}

function mergeRemoval({ base, ours, theirs }: FileSides): MergedContent {
  const left = ours ?? theirs;
  if (left === undefined || (base !== undefined && Buffer.compare(left, base) === 0))
    return { kind: "merged", text: undefined };
  if (base === undefined) return { kind: "merged", text: textOf(ours === undefined ? "theirs" : "ours", left) };
  return {
    kind: "unmerged",
    why: `it was removed on ${ours === undefined ? "our" : "their"} side and changed on the other`,
  };
}

/** The lines that say something, by what they say: a key by itself, without comment, anything else as written. */
function readLines(side: keyof FileSides, bytes: Uint8Array | undefined): Map<string, string> {
  const lines = new Map<string, string>();
  for (const written of textOf(side, bytes ?? Buffer.alloc(0)).split(/\r?\n/)) {
    const line = written.trimEnd();
    if (line === "") continue;
    const id = idOf(line);
    if (!lines.has(id)) lines.set(id, line);
  }
  return lines;
}

function textOf(side: keyof FileSides, bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new UnreadableSide(`${sideNames[side]}: the file is not UTF-8`);
  return text;
}

function idOf(line: string): string {
  const ssh = findSshPublicKey(line.replace(signingComment, ""));
  if (ssh !== undefined) return `key ${ssh.text}`;
  return line.startsWith("#") ? `comment ${line}` : `key ${line}`;
}

function isKeyId(id: string): boolean {
  return id.startsWith("key ");
}
