import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsc = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));
const relativeImport = /(from |import\()"(\.[^"]+)\.ts"/g;

/**
 * The declarations that users of the library see: file name below the folder of types, with `/`, to
 * text. Only what src/index.ts leads to. Imports end in `.js`, as every version of TypeScript takes them.
 * Throws with what tsc said.
 */
export async function buildTypes() {
  const folder = await mkdtemp(join(tmpdir(), "sealtree-types-"));
  try {
    await promisify(execFile)(process.execPath, [tsc, "-p", `${root}tsconfig.build.json`, "--outDir", folder]).catch(
      (error) => {
        throw new Error(`the types do not build\n${error.stdout}${error.stderr}`, { cause: error });
      },
    );
    // Beside CommonJS, whose folder this is in.
    const files = new Map([["package.json", '{"type":"module"}\n']]);
    await collect("index.ts", folder, files);
    return files;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function collect(source, folder, files) {
  const name = source.replace(/\.ts$/, ".d.ts");
  if (files.has(name)) return;
  const text = await readFile(join(folder, name), "utf8");
  files.set(name, text.replaceAll(relativeImport, '$1"$2.js"'));
  for (const [, , path] of text.matchAll(relativeImport))
    await collect(posix.join(posix.dirname(source), `${path}.ts`), folder, files);
}
