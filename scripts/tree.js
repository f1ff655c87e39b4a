import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, sep } from "node:path";

/** The files below `folder` as name (with `/`) to text; empty when there is no such folder. */
export async function readTree(folder, { skip }) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .split(sep)
        .join("/"),
    )
    .filter((name) => !name.startsWith(`${skip}/`));
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")])));
}

/**
 * Makes `folder` hold `files` and nothing else, except the subfolder `keep`. Files that already
 * hold the right text are not touched and others are replaced whole, so that a process that
 * runs from the folder meanwhile never sees half a file. Scripts become executable.
 */
export async function writeTree(folder, files, { keep }) {
  const present = await readTree(folder, { skip: keep });
  for (const [name, text] of files) {
    if (present.get(name) === text) continue;
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.${process.pid}`, text);
    if (text.startsWith("#!")) await chmod(`${path}.${process.pid}`, 0o755);
    await rename(`${path}.${process.pid}`, path);
  }
  for (const name of present.keys()) if (!files.has(name)) await rm(join(folder, name), { force: true });
}
