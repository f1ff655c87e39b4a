import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { interleave, runNode } from "./measure.js";
import { makeRepository } from "./repository.js";

const reader = fileURLToPath(new URL("read-files.js", import.meta.url));
const source = fileURLToPath(new URL("../src", import.meta.url));
const fileBytes = 256 * 1024;
const valueCount = 200;

/** Rows of `scan` for 200 values in `megabytes` of source text, against a Node that reads the same files. */
export function benchScan({ rounds, megabytes }) {
  const repository = makeRepository("x25519");
  const { cwd, sealtree, remove } = repository;
  try {
    const lines = Array.from(
      { length: valueCount },
      (_, index) => `KEY_${index}=${randomBytes(24).toString("base64")}\n`,
    );
    sealtree(["import", "dev/app", "--format", "dotenv", "--yes"], { input: lines.join("") });
    writeFiles(join(cwd, "files"), Math.ceil((megabytes * 1e6) / fileBytes));
    const what = `scan of ${megabytes} MB for ${valueCount} values`;
    let peakBytes = 0;
    const times = interleave(
      {
        base: () => runNode([reader, "files"], repository).timeMs,
        [what]: () => {
          const run = sealtree(["scan"], { measuresMemory: true });
          peakBytes = Math.max(peakBytes, run.peakBytes);
          return run.timeMs;
        },
      },
      rounds,
    );
    const baseMs = times.get("base").medianMs;
    return [
      { what: "reading the files", ...times.get("base"), baseMs },
      { what, ...times.get(what), peakBytes, baseMs },
    ];
  } finally {
    remove();
  }
}

/** Files of our own source text, each beginning at another place of it. */
function writeFiles(folder, count) {
  const paths = readdirSync(source, { recursive: true, withFileTypes: true }).filter((item) => item.isFile());
  const text = Buffer.concat(paths.map((item) => readFileSync(join(item.parentPath, item.name))));
  const doubled = Buffer.concat([text, text]);
  mkdirSync(folder);
  for (let index = 0; index < count; index += 1) {
    const start = (index * 7919) % text.length;
    writeFileSync(join(folder, `file-${index}.txt`), doubled.subarray(start, start + fileBytes));
  }
}
