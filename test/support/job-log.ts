/** What stands in a log where a value stood. */
const shownMask = "***";
/** A shorter piece may be anywhere. */
const minPieceChars = 6;

/**
 * `text` as the log of a job shows it once the runner was told `masks`: each of them, and each line of one,
 * is taken out where it stands in a line, the longest first.
 */
export function maskLog(text: string, masks: readonly string[]): string {
  const exact = new Set(masks.flatMap((mask) => [mask, ...mask.split(/[\r\n]+/)]).filter((mask) => mask !== ""));
  const sorted = [...exact].sort((a, b) => b.length - a.length);
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => sorted.reduce((shown, mask) => shown.replaceAll(mask, shownMask), line))
    .join("\n");
}

/** Everything that a program may print of a value, a line each: the value, and what others make of it. */
export function printForms(value: string): string {
  const bytes = Buffer.from(value);
  const shifted = [0, 1, 2].map((offset) => Buffer.concat([Buffer.alloc(offset, "x"), bytes, Buffer.from("yz")]));
  return [
    value,
    `say ${value} twice, ${value.trim()}`,
    ...shifted.flatMap((it) => [it.toString("base64"), it.toString("base64url")]),
    bytes.toString("base64"),
    bytes.toString("base64url"),
    JSON.stringify({ value }),
    JSON.stringify({ value: value.trim() }),
    `https://test.example/?q=${encodeURIComponent(value)}`,
    new URLSearchParams({ value }).toString(),
  ].join("\n");
}

/** What must not be in the log of a job that has `value`: the value, its lines, and what only it decides of {@link printForms}. */
export function secretPieces(value: string): string[] {
  const bytes = Buffer.from(value);
  const digits = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    return encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  });
  const pieces = [
    value,
    ...value.split(/\r\n|\r|\n/).map((line) => line.trim()),
    ...digits,
    ...digits.map((it) => it.replaceAll("+", "-").replaceAll("/", "_")),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    new URLSearchParams([["", value]]).toString().slice(1),
  ];
  return pieces.filter((piece) => piece.trim().length >= minPieceChars);
}
