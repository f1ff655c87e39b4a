import { realpathSync } from "node:fs";
import { delimiter, isAbsolute, relative, sep } from "node:path";
import type { Environment } from "../git/place.ts";

/**
 * The environment without the folders of PATH that are inside one of `folders`, by their names or by
 * where links lead, and without relative ones: what a tree brings along is not to be found when git or
 * ssh-add is started. `folders` are absolute.
 */
export function withoutTreePrograms(env: Environment, folders: readonly string[]): Environment {
  const trees = [...new Set([...folders, ...folders.map(realPath)])];
  const isOutside = (entry: string) =>
    isAbsolute(entry) && ![entry, realPath(entry)].some((path) => trees.some((tree) => isInside(path, tree)));
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      name.toUpperCase() === "PATH" ? value?.split(delimiter).filter(isOutside).join(delimiter) : value,
    ]),
  );
}

function isInside(path: string, tree: string): boolean {
  const way = relative(tree, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** The path as it is for a folder that is not there. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
