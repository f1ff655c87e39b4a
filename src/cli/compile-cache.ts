import { lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";

/** Since Node 22.1; on older ones every start compiles anew. */
type NodeModule = { readonly enableCompileCache?: (this: void, directory: string) => unknown };

/**
 * Lets Node keep the compiled form of this program's own code, never data, between starts:
 * in the user's cache folder, in a directory that nobody else can write to. Without such a
 * directory there is no cache. NODE_DISABLE_COMPILE_CACHE turns it off.
 */
export function enableCompileCache(env: Readonly<Record<string, string | undefined>>): void {
  const { enableCompileCache: enable } = process.getBuiltinModule("node:module") as NodeModule;
  const cache = env["XDG_CACHE_HOME"] || (env["HOME"] ? join(env["HOME"], ".cache") : undefined);
  if (enable === undefined || process.getuid === undefined || cache === undefined) return;
  const directory = join(cache, "sealtree", "code");
  if (isPrivate(directory, process.getuid())) enable(directory);
}

/** True for a real directory of ours with mode 0700; makes it when nothing is there. */
function isPrivate(directory: string, uid: number): boolean {
  try {
    if (lstatSync(directory, { throwIfNoEntry: false }) === undefined)
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    const status = lstatSync(directory);
    return status.isDirectory() && status.uid === uid && (status.mode & 0o077) === 0;
  } catch {
    return false;
  }
}
