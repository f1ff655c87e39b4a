import { readFileSync, writeFileSync } from "node:fs";

const markers = ["<!-- bench: begin -->", "<!-- bench: end -->"];

/** Rows as a Markdown table. Times and memory are rounded to what a second run would give again. */
export function printTable(rows) {
  const cells = rows.map(({ what, medianMs, minMs, baseMs, peakBytes }) => [
    what,
    medianMs.toFixed(medianMs < 100 ? 1 : 0),
    minMs.toFixed(minMs < 100 ? 1 : 0),
    (medianMs / baseMs).toFixed(2),
    peakBytes === undefined ? "" : (peakBytes / 2 ** 20).toFixed(0),
  ]);
  const head = ["what", "median ms", "least ms", "times the baseline", "peak MiB"];
  return [head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...cells]
    .map((row) => `| ${row.join(" | ")} |\n`)
    .join("");
}

/** Puts `text` between the two markers of a file. Throws when they are not there. */
export function writeBetweenMarkers(url, text) {
  const [before, rest] = splitOnce(readFileSync(url, "utf8"), markers[0]);
  const [, after] = splitOnce(rest, markers[1]);
  writeFileSync(url, `${before}${markers[0]}\n\n${text}\n${markers[1]}${after}`);
}

function splitOnce(text, marker) {
  const at = text.indexOf(marker);
  if (at < 0) throw new Error(`the page has no line ${marker}`);
  return [text.slice(0, at), text.slice(at + marker.length)];
}
