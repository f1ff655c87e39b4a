import { accessSync, constants, realpathSync, statSync, type Stats } from "node:fs";
import { delimiter, dirname, isAbsolute, join, relative, sep } from "node:path";
import type { SealtreeError } from "../errors.ts";
import type { Environment } from "../git/place.ts";
import { pluginFailed } from "./plugin-failure.ts";

/**
 * The absolute path of `age-plugin-NAME`, from PATH and nowhere else. Passed over are entries
 * that are empty or relative, folders that everybody may write to, and whatever lies in the
 * work tree at `root`, also by way of a link. Throws E_PLUGIN_FAILED.
 */
export function findPluginProgram(name: string, env: Environment, root: string | undefined): string {
  const file = `age-plugin-${name}${process.platform === "win32" ? ".exe" : ""}`;
  let isUnsafe = false;
  for (const folder of (env["PATH"] ?? env["Path"] ?? "").split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    const program = findProgram(join(folder, file));
    if (program === undefined) continue;
    if ([folder, dirname(program), program].every((path) => isSafe(path, root))) return program;
    isUnsafe = true;
  }
  throw notFound(name, isUnsafe);
}

/** The file itself, behind all links; undefined unless it can be started. */
function findProgram(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    const program = realpathSync(path);
    return statSync(program).isFile() ? program : undefined;
  } catch {
    return undefined;
  }
}

function isSafe(path: string, root: string | undefined): boolean {
  const real = realpathSync(path);
  if (isOpenToAll(statSync(real))) return false;
  return root === undefined || !(isWithin(path, root) || isWithin(real, realpathSync(root)));
}

function isOpenToAll({ mode }: Stats): boolean {
  return process.platform !== "win32" && (mode & 0o002) !== 0;
}

function isWithin(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === "" || !(way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way));
}

function notFound(name: string, isUnsafe: boolean): SealtreeError {
  return pluginFailed(name, "the plugin is not found", [
    `install age-plugin-${name}, it must be in PATH`,
    ...(isUnsafe
      ? [
          "one in PATH was passed over: it is in the repository's work tree, or in a folder or file that everybody may write to",
        ]
      : []),
  ]);
}
