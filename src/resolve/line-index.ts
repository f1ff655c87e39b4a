/** A place in a text; both are one-based, and the column counts UTF-16 code units. */
export interface LinePlace {
  readonly line: number;
  readonly column: number;
}

/** Says where an offset of `text` is. Lines end with a line feed. */
export function indexLines(text: string): (offset: number) => LinePlace {
  const starts = [0];
  for (let next = text.indexOf("\n"); next !== -1; next = text.indexOf("\n", next + 1)) starts.push(next + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
