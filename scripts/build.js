// Builds dist, or the folder of --to: the bundle, and the library's types unless --no-types is given.
// --check builds the bundle twice instead and compares the bytes with each other and with dist.
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundle } from "./bundle.js";
import { readTree, writeTree } from "./tree.js";
import { buildTypes } from "./types.js";

const { values: flags } = parseArgs({
  options: { "no-types": { type: "boolean" }, check: { type: "boolean" }, to: { type: "string" } },
});
const dist = resolve(flags.to ?? fileURLToPath(new URL("../dist", import.meta.url)));

await Promise.all(flags.check ? [check()] : [writeBundle(), writeTypes()]).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});

async function writeBundle() {
  await writeTree(dist, await bundle(), { keep: "types" });
}

async function writeTypes() {
  if (!flags["no-types"]) await writeTree(join(dist, "types"), await buildTypes(), { keep: "none" });
}

async function check() {
  const [first, second, written] = [await bundle(), await bundle(), await readTree(dist, { skip: "types" })];
  const digests = [first, second, written].map(digest);
  process.stdout.write(`${digests.join("\n")}\n`);
  if (digests[0] !== digests[1]) throw new Error("two builds of the same sources differ");
  if (digests[0] !== digests[2]) throw new Error("dist is not what the sources build; run npm run build");
}

function digest(files) {
  const hash = createHash("sha256");
  for (const name of [...files.keys()].sort()) hash.update(`${name}\0${files.get(name)}\0`);
  return hash.digest("hex");
}
