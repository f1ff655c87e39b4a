import { closeSync, constants, type Dirent, fstatSync, lstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, SealtreeError } from "../errors.ts";
import { compareText } from "../secret/text-order.ts";
import { maxTreeFileBytes, type Tree } from "./tree.ts";

/** Name of a half-written file that a killed process may leave behind; never read, never listed. */
export const temporaryFile = /^\.sealtree-[0-9a-f]+\.tmp$/;

/** Deepest folder that is looked into; ours end above it. */
const maxDepth = 16;

/** The files as they are on disk below `root`. A folder too deep to be ours is listed as if it were a file. */
export function openWorkTree(root: string): Tree {
  const safeDirectories = new Set<string>();

  function checkDirectories(path: string): boolean {
    const segments = path.split("/").slice(0, -1);
    for (let depth = 1; depth <= segments.length; depth++) {
      const directory = segments.slice(0, depth).join("/");
      if (safeDirectories.has(directory)) continue;
      const status = lstatSync(join(root, directory), { throwIfNoEntry: false });
      if (status === undefined) return false;
      if (!status.isDirectory()) throw unsafe(directory, "is not a directory");
      safeDirectories.add(directory);
    }
    return true;
  }

  return {
    label: "the work tree",

    read(path) {
      return attempt(() => {
        if (!checkDirectories(path)) return undefined;
        let descriptor: number;
        try {
          descriptor = openSync(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
        } catch (error) {
          const code = errnoOf(error);
          if (code === "ENOENT") return undefined;
          if (code === "ELOOP" || code === "EMLINK") throw unsafe(path, "is a symbolic link");
          if (code === "ENXIO") throw unsafe(path, "is not a regular file");
          throw new SealtreeError("E_IO", `${path} cannot be read (${code ?? "unknown error"})`, {
            file: path,
            cause: error,
          });
        }
        try {
          const status = fstatSync(descriptor);
          if (!status.isFile()) throw unsafe(path, "is not a regular file");
          if (status.size > maxTreeFileBytes) throw unsafe(path, "is too large");
          return readFileSync(descriptor);
        } finally {
          closeSync(descriptor);
        }
      });
    },

    list(directory) {
      return attempt(() => {
        const found: string[] = [];
        const visit = (path: string, depth: number) => {
          for (const item of readFolder(join(root, path), path)) {
            const child = `${path}/${item.name}`;
            if (item.isDirectory() && depth < maxDepth) visit(child, depth + 1);
            else if (!temporaryFile.test(item.name)) found.push(child);
          }
        };
        if (checkDirectories(`${directory}/x`)) visit(directory, 1);
        return found.sort(compareText);
      });
    },

    isExecutable(path) {
      return attempt(() => {
        const status = lstatSync(join(root, path), { throwIfNoEntry: false });
        return process.platform !== "win32" && status?.isFile() === true && (status.mode & 0o111) !== 0;
      });
    },
  };
}

function readFolder(folder: string, path: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw new SealtreeError("E_IO", `${path} cannot be listed (${errnoOf(error) ?? "unknown error"})`, {
      file: path,
      cause: error,
    });
  }
}

function unsafe(path: string, what: string): SealtreeError {
  return new SealtreeError("E_UNSAFE_FILE", `${path} ${what}`, {
    file: path,
    hints: ["sealtree reads and writes only regular files in real directories; replace it"],
  });
}

function attempt<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(work());
  });
}
