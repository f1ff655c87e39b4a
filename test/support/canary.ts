import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The ways a value could be written down by accident, by the name of the way. */
function formsOf(value: string): ReadonlyMap<string, Buffer> {
  const bytes = Buffer.from(value);
  const forms = new Map<string, Buffer>([
    ["plain", bytes],
    ["hex", Buffer.from(bytes.toString("hex"))],
    ["upper hex", Buffer.from(bytes.toString("hex").toUpperCase())],
    ["JSON", Buffer.from(JSON.stringify(value).slice(1, -1))],
    ["URL", Buffer.from(encodeURIComponent(value))],
    ["UTF-16", Buffer.from(value, "utf16le")],
  ]);
  for (const encoding of ["base64", "base64url"] as const) {
    for (const shift of [0, 1, 2])
      forms.set(`${encoding} at ${shift}`, Buffer.from(innerBase64(bytes, shift, encoding)));
  }
  return forms;
}

/** Base64 of `bytes` as it stands within a longer text, `shift` bytes after a multiple of three; whole groups only. */
function innerBase64(bytes: Buffer, shift: number, encoding: "base64" | "base64url"): string {
  const start = (3 - shift) % 3;
  const whole = bytes.subarray(start, start + Math.floor((bytes.length - start) / 3) * 3);
  return whole.toString(encoding);
}

/** Forms of the canaries that are in `content`: `canary 0, base64 at 1`. Empty when there is none. */
export function findCanaries(content: string | Uint8Array, canaries: readonly string[]): string[] {
  const bytes = Buffer.from(content);
  return canaries.flatMap((canary, index) =>
    [...formsOf(canary)].flatMap(([name, form]) => (bytes.includes(form) ? [`canary ${index}, ${name}`] : [])),
  );
}

/** Files below `directories`, in them or in their names, that hold a canary, but for those that `isAllowed`. */
export function findCanaryFiles(
  directories: readonly string[],
  canaries: readonly string[],
  isAllowed: (path: string) => boolean = () => false,
): string[] {
  return directories.filter(existsSync).flatMap((directory) =>
    readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((item) => {
      const path = join(item.parentPath, item.name);
      if (isAllowed(path)) return [];
      const found = findCanaries(item.name, canaries);
      if (item.isFile()) found.push(...findCanaries(readFileSync(path), canaries));
      return found.map((what) => `${path}: ${what}`);
    }),
  );
}

/** Canaries in any object of a git repository, reachable or not, unpacked, and in its reflogs. */
export function findCanaryObjects(root: string, canaries: readonly string[]): string[] {
  const objects = execFileSync("git", ["cat-file", "--batch-all-objects", "--batch"], {
    cwd: root,
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return findCanaries(objects, canaries).map((what) => `an object of git: ${what}`);
}
