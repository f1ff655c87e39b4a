import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import { errnoOf, SealtreeError } from "../errors.ts";
import { hasGit, type GitPlace } from "../git/place.ts";
import { listWorkFiles } from "../git/list-files.ts";
import { compareText } from "../secret/text-order.ts";
import type { TextSearch } from "./content-search.ts";
import type { OnScanProgress, ScanCollector } from "./scan-result.ts";

const chunkBytes = 4 * 1024 * 1024;
const gone = ["ENOENT", "ENOTDIR"];
/** What O_NOFOLLOW says of a symbolic link, and O_NONBLOCK of a pipe or a device. */
const notAFile = ["ELOOP", "EMLINK", "ENXIO"];

/**
 * Searches the files of the work tree: what git tracks and what it would take, and with `withIgnored`
 * the rest. A tree without git is searched whole. No symbolic link is followed.
 */
export async function scanWorkTree(
  place: GitPlace,
  collector: ScanCollector,
  { withIgnored, onProgress }: { readonly withIgnored: boolean; readonly onProgress: OnScanProgress },
): Promise<void> {
  const root = realpathSync(place.root);
  const paths = hasGit(place) ? await listWorkFiles(place, { withIgnored }) : listBelow(root, root);
  await scanFiles(root, collector, paths, onProgress);
}

/**
 * Searches files and folders wherever they are, ignored ones too; `.git` is left out. A link is
 * followed only when it is one of `targets` itself. Throws E_FILE_NOT_FOUND.
 */
export async function scanTargets(
  place: GitPlace,
  collector: ScanCollector,
  targets: readonly string[],
  onProgress: OnScanProgress,
): Promise<void> {
  const root = realpathSync(place.root);
  const paths = targets.flatMap((target) => {
    const real = realTarget(target);
    return statSync(real).isDirectory() ? listBelow(root, real) : [displayPath(root, real)];
  });
  await scanFiles(root, collector, [...new Set(paths)], onProgress);
}

async function scanFiles(
  root: string,
  collector: ScanCollector,
  listed: readonly string[],
  onProgress: OnScanProgress,
): Promise<void> {
  const paths = listed.filter((path) => collector.takes(path));
  const buffer = Buffer.allocUnsafe(chunkBytes);
  const realFolders = new Map<string, boolean>();
  for (const [index, path] of paths.entries()) {
    const file = isAbsolute(path) ? path : join(root, path);
    if (isInRealFolder(file, realFolders)) await readFile(file, path, collector, buffer);
    onProgress(index + 1, paths.length);
  }
}

async function readFile(file: string, path: string, collector: ScanCollector, buffer: Buffer): Promise<void> {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = errnoOf(error) ?? "unknown error";
    if (![...gone, ...notAFile].includes(code)) await collector.add(path, () => `cannot be read (${code})`);
    return;
  }
  try {
    if (fstatSync(descriptor).isFile()) await collector.add(path, (text) => pushAll(descriptor, text, buffer));
  } finally {
    closeSync(descriptor);
  }
}

/** Pushes a file to its end. What was pushed is not written over, so more than `buffer` holds goes into new memory. */
function pushAll(descriptor: number, text: Pick<TextSearch, "push">, buffer: Buffer): string | undefined {
  try {
    for (let free = buffer; ;) {
      const count = readSync(descriptor, free, 0, free.length, null);
      if (count === 0) return undefined;
      text.push(free.subarray(0, count));
      free = count < free.length ? free.subarray(count) : Buffer.allocUnsafe(chunkBytes);
    }
  } catch (error) {
    return `cannot be read (${errnoOf(error) ?? "unknown error"})`;
  }
}

/** False for a file in a folder that is reached by a symbolic link. */
function isInRealFolder(file: string, known: Map<string, boolean>): boolean {
  const folder = dirname(file);
  const before = known.get(folder);
  if (before !== undefined) return before;
  let isReal: boolean;
  try {
    isReal = realpathSync(folder) === folder;
  } catch {
    isReal = false;
  }
  known.set(folder, isReal);
  return isReal;
}

function realTarget(target: string): string {
  try {
    return realpathSync(target);
  } catch (error) {
    throw new SealtreeError("E_FILE_NOT_FOUND", "a file or folder to scan is not there", {
      hints: ["name files and folders that are; without any, the work tree is searched"],
      cause: error,
    });
  }
}

/** All regular files below a folder, sorted; no link is followed. A folder that cannot be listed comes as itself. */
function listBelow(root: string, folder: string): string[] {
  const found: string[] = [];
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    try {
      for (const item of readdirSync(next, { withFileTypes: true })) {
        if (item.isFile()) found.push(displayPath(root, join(next, item.name)));
        else if (item.isDirectory() && item.name !== ".git") waiting.push(join(next, item.name));
      }
    } catch {
      found.push(displayPath(root, next));
    }
  }
  return found.sort(compareText);
}

/** From the root, with `/`; absolute for what is not below it. */
function displayPath(root: string, file: string): string {
  const path = relative(root, file);
  return path === ".." || path.startsWith(`..${sep}`) || isAbsolute(path) ? file : path.replaceAll(sep, "/");
}
