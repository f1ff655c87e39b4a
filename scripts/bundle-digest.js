// Prints the digest of a folder: the SHA-256 of what `sha256sum` prints of its files, sorted by their
// paths in it. So it changes with each byte, each name and each file, and nothing else.
// With --expect it fails for any other digest.
//   node scripts/bundle-digest.js [dist/action] [--expect DIGEST]
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: flags, positionals } = parseArgs({
  options: { expect: { type: "string" } },
  allowPositionals: true,
});
const folder = positionals[0] ?? fileURLToPath(new URL("../dist/action", import.meta.url));

try {
  const digest = digestFolder();
  // Compared also when it is empty: a job that said nothing has an empty output.
  if (flags.expect !== undefined && flags.expect !== digest)
    throw new Error(`${folder} has the digest ${digest}, not "${flags.expect}"`);
  process.stdout.write(`${digest}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

function digestFolder() {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
  if (entries.length === 0) throw new Error(`${folder} has no files`);
  const lines = entries.map((entry) => {
    const path = relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/");
    // A link can lead elsewhere on another machine, and sha256sum prints other names differently.
    if (!entry.isFile() || !/^[\w./-]+$/.test(path)) throw new Error(`${path} is no plain file with a plain name`);
    return { path, line: `${sha256(readFileSync(join(folder, path)))}  ${path}\n` };
  });
  const sorted = lines.toSorted((one, other) => (one.path < other.path ? -1 : 1));
  return sha256(sorted.map(({ line }) => line).join(""));
}

function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}
