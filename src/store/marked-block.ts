const begin = "# sealtree: begin";
const end = "# sealtree: end";

/**
 * `text` of a file with `#` comments in which our block holds `lines`, between its two markers:
 * where it stood, or at the end. Every other line stays.
 */
export function replaceMarkedBlock(text: string, lines: readonly string[]): string {
  const block = [begin, ...lines, end, ""].join("\n");
  const place = findBlock(text);
  if (place !== undefined) return text.slice(0, place.from) + block + text.slice(place.to);
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${block}`;
}

/** True when our block stands in `text`. */
export function hasMarkedBlock(text: string): boolean {
  return findBlock(text) !== undefined;
}

/** The lines of our block, without its markers; undefined when there is none. */
export function linesOfBlock(text: string): string[] | undefined {
  const place = findBlock(text);
  if (place === undefined) return undefined;
  const lines = text.slice(place.from, place.to).split("\n");
  return lines.slice(1, lines.lastIndexOf(end));
}

/** The lines that follow our block and are no comment; empty when there is no block. */
export function linesAfterBlock(text: string): string[] {
  const place = findBlock(text);
  if (place === undefined) return [];
  return text
    .slice(place.to)
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"));
}

/** Where the block stands, its markers and last line break included. */
function findBlock(text: string): { readonly from: number; readonly to: number } | undefined {
  const from = `\n${text}`.indexOf(`\n${begin}\n`);
  const stop = `\n${text}\n`.indexOf(`\n${end}\n`, from);
  return from < 0 || stop < 0 ? undefined : { from, to: Math.min(text.length, stop + end.length + 1) };
}
