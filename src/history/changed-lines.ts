/** Where two texts differ: whole lines from `start` to `oldEnd` in the one and to `newEnd` in the other. */
export interface ChangedLines {
  readonly start: number;
  readonly oldEnd: number;
  readonly newEnd: number;
}

const newline = 0x0a;
const chunkBytes = 1024;

/** The one run of lines that has all differences between two versions of a file. `start` is the length of both when they are the same. */
export function findChangedLines(older: Buffer, newer: Buffer): ChangedLines {
  const shorter = Math.min(older.length, newer.length);
  const same = commonStart(older, newer, shorter);
  if (same === older.length && same === newer.length) return { start: same, oldEnd: same, newEnd: same };
  const start = same === 0 ? 0 : newer.lastIndexOf(newline, same - 1) + 1;
  const sameAfter = commonEnd(older, newer, shorter - start);
  const lineEnd = newer.indexOf(newline, newer.length - sameAfter);
  const after = lineEnd < 0 ? 0 : newer.length - lineEnd - 1;
  return { start, oldEnd: older.length - after, newEnd: newer.length - after };
}

/** How many bytes are the same from the beginning on, `limit` at most. */
function commonStart(a: Buffer, b: Buffer, limit: number): number {
  let at = 0;
  while (at + chunkBytes <= limit && a.compare(b, at, at + chunkBytes, at, at + chunkBytes) === 0) at += chunkBytes;
  while (at < limit && a[at] === b[at]) at += 1;
  return at;
}

/** How many bytes are the same back from the end, `limit` at most. */
function commonEnd(a: Buffer, b: Buffer, limit: number): number {
  let count = 0;
  const isSameChunk = () => {
    const [x, y] = [a.length - count - chunkBytes, b.length - count - chunkBytes];
    return a.compare(b, y, y + chunkBytes, x, x + chunkBytes) === 0;
  };
  while (count + chunkBytes <= limit && isSameChunk()) count += chunkBytes;
  while (count < limit && a[a.length - count - 1] === b[b.length - count - 1]) count += 1;
  return count;
}
