import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { hasCode } from "../../src/errors.ts";
import { openWorkTree } from "../../src/store/work-tree.ts";

const base = mkdtempSync(join(tmpdir(), "sealtree-tree-"));
afterAll(() => rmSync(base, { recursive: true }));
let root = "";
let counter = 0;
beforeEach(() => {
  root = join(base, String((counter += 1)));
  mkdirSync(join(root, "secrets/prod"), { recursive: true });
  writeFileSync(join(root, "secrets/prod/api.yaml"), "text");
});

async function isUnsafe(path: string): Promise<boolean> {
  const error: unknown = await openWorkTree(root)
    .read(path)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  return hasCode(error, "E_UNSAFE_FILE");
}

describe("openWorkTree", () => {
  it("reads a regular file, and nothing where there is none", async () => {
    const tree = openWorkTree(root);
    expect(Buffer.from((await tree.read("secrets/prod/api.yaml")) ?? []).toString()).toBe("text");
    expect(await tree.read("secrets/prod/none.yaml")).toBeUndefined();
    expect(await tree.read("secrets/none/none.yaml")).toBeUndefined();
  });

  it("refuses a symbolic link", async () => {
    symlinkSync("/etc/passwd", join(root, "secrets/prod/link.yaml"));
    expect(await isUnsafe("secrets/prod/link.yaml")).toBe(true);
  });

  it("refuses a directory that is a symbolic link", async () => {
    symlinkSync(join(root, "secrets/prod"), join(root, "secrets/linked"));
    expect(await isUnsafe("secrets/linked/api.yaml")).toBe(true);
  });

  it("refuses a pipe without waiting for a writer", async () => {
    execFileSync("mkfifo", [join(root, "secrets/prod/pipe.yaml")]);
    expect(await isUnsafe("secrets/prod/pipe.yaml")).toBe(true);
  });

  it("refuses a file in place of a directory", async () => {
    expect(await isUnsafe("secrets/prod/api.yaml/x")).toBe(true);
  });

  it("lists files below a directory, but none that a killed writer left", async () => {
    writeFileSync(join(root, "secrets/prod/.sealtree-00ff.tmp"), "half");
    writeFileSync(join(root, "secrets/top.yaml"), "");
    expect(await openWorkTree(root).list("secrets")).toEqual(["secrets/prod/api.yaml", "secrets/top.yaml"]);
    expect(await openWorkTree(root).list("policies")).toEqual([]);
  });
});
